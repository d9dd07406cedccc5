import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { seededRandom } from '../../src/runtime/random.ts'
import { type Disk, type DiskFile, systemDisk } from '../../src/storage/disk.ts'
import { S3 } from '../../src/storage/s3.ts'
import { readS3Object } from '../../src/storage/s3Source.ts'
import { S3Upload } from '../../src/storage/s3Upload.ts'
import { SimulatedDisk } from '../simulation/simulatedDisk.ts'
import { type S3Server, startS3Server } from '../support/s3Server.ts'

let server: S3Server

before(async () => {
  server = await startS3Server()
})

after(() => server[Symbol.asyncDispose]())

const DIRECTORY = '/jobs/one'
/** The least that S3 takes. */
const PART_BYTES = 5 * 1024 * 1024
/** Written again and again in other cuts: it takes too long to make so much by chance. */
const BYTES = Buffer.from(Array.from({ length: 30_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 255))

async function contentOf(s3: S3, key: string): Promise<Buffer> {
  const address = { bucket: server.bucket, key }
  const pieces: Uint8Array[] = []
  for await (const piece of readS3Object(s3, address, await s3.head(address))) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Writes until it is whole, through deaths at any moment; gives how often it died. */
async function writeThroughDeaths(seed: number, key: string, content: Buffer): Promise<number> {
  const random = seededRandom(seed)
  const disk = new SimulatedDisk(random, async () => undefined)
  const address = { bucket: server.bucket, key }
  const deadliness = random() * 0.3
  let checkpoints = [0, 0]
  let isWhole = false
  for (let deaths = 0; ; deaths += 1) {
    const session = disk.session()
    const s3 = new S3()
    const dies = (): boolean => deaths < 30 && random() < deadliness
    const place = { s3, address, directory: DIRECTORY, disk: session.disk, partBytes: PART_BYTES, replaces: false }
    try {
      session.disk.makeDirectory(DIRECTORY)
      if (isWhole && (await S3Upload.finish(place))) {
        assert.deepEqual(disk.paths, [])
        return deaths
      }
      // The latest checkpoint may be damaged; then the one before it counts.
      const size: number = checkpoints[random() < 0.4 && !isWhole ? 0 : 1]!
      checkpoints = [size, size]
      const upload = S3Upload.open({ ...place, size })
      assert.equal(upload.size, size)
      let at = size
      while (at < content.length && !dies()) {
        const piece = content.subarray(at, at + Math.ceil(random() * PART_BYTES * 0.7))
        upload.write(piece)
        at += piece.length
        while (upload.room !== undefined) await upload.room
        // A part that is at S3 by the next checkpoint may lose its file.
        if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, 30))
        if (random() < 0.5) {
          const snapshot = upload.size
          await upload.sync()
          await session.disk.syncDirectory(DIRECTORY)
          if (dies()) break
          checkpoints = [checkpoints[1]!, snapshot]
        }
      }
      if (at === content.length && !dies()) {
        await upload.sync()
        await session.disk.syncDirectory(DIRECTORY)
        checkpoints = [at, at]
        isWhole = true
        const completed = upload.complete()
        if (dies()) await Promise.race([completed, new Promise((resolve) => setTimeout(resolve, random() * 5))])
        else {
          await completed
          assert.deepEqual(disk.paths, [])
          return deaths
        }
      }
    } finally {
      session.kill()
      await s3.close()
    }
    if (random() < 0.5) disk.crash()
    // What was on its way when it died has arrived, or never will.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('whatever dies and whenever, the object is what was written, and is not there before', async () => {
  const s3 = new S3()
  let deaths = 0
  for (let seed = 0; seed < 20; seed += 1) {
    const random = seededRandom(seed + 1_000)
    const content = BYTES.subarray(0, Math.floor(random() * BYTES.length))
    const key = `object-${seed}`
    try {
      deaths += await writeThroughDeaths(seed, key, content)
      assert.ok(content.equals(await contentOf(s3, key)), 'the content')
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).stack}`, { cause: error })
    }
  }
  assert.ok(deaths > 10, `${deaths} deaths`)
  await s3.close()
})

test('who dies as the name of the upload is written down leaves nothing behind', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-upload-'))
  const s3 = new S3()
  const place = {
    s3,
    address: { bucket: server.bucket, key: 'draft' },
    directory,
    partBytes: PART_BYTES,
    replaces: false,
  }
  const dying: Disk = {
    ...systemDisk,
    rename() {
      throw new Error('killed')
    },
  }
  const killed = S3Upload.open({ ...place, disk: dying, size: 0 })
  killed.write(BYTES.subarray(0, PART_BYTES + 1))
  await assert.rejects(killed.complete(), /killed/)
  assert.deepEqual(readdirSync(directory).sort(), ['part-00001', 'part-00002', 'upload.jsonl.new'])
  // The table has shrunk since: one piece is enough, and no upload of parts is begun again.
  const resumed = S3Upload.open({ ...place, disk: systemDisk, size: 10 })
  await resumed.complete()
  assert.ok(BYTES.subarray(0, 10).equals(await contentOf(s3, 'draft')))
  assert.deepEqual(readdirSync(directory), [])
  rmSync(directory, { recursive: true })
  await s3.close()
})

let syncs = 0
/** A file that is closed while it is brought to the disk is a fault. */
const strictDisk: Disk = {
  ...systemDisk,
  append(path) {
    const file = systemDisk.append(path)
    let isClosed = false
    const guarded: DiskFile = {
      get size() {
        return file.size
      },
      write: (bytes) => file.write(bytes),
      truncate: (size) => file.truncate(size),
      async sync() {
        // Some take much longer than others.
        syncs += 1
        await new Promise((resolve) => setTimeout(resolve, syncs % 3 === 0 ? 40 : 2))
        if (isClosed) throw new Error('EBADF: bad file descriptor, fsync')
        await file.sync()
      },
      close() {
        isClosed = true
        file.close()
      },
    }
    return guarded
  },
}

test('it is brought to the disk twice at a time, while a part becomes full', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-upload-'))
  const s3 = new S3()
  const address = { bucket: server.bucket, key: 'twice' }
  const upload = S3Upload.open({
    ...{ s3, address, directory, disk: strictDisk, partBytes: PART_BYTES, replaces: false },
    size: 0,
  })
  const syncing: Promise<void>[] = []
  for (let at = 0; at < BYTES.length; at += PART_BYTES / 2) {
    syncing.push(upload.sync())
    upload.write(BYTES.subarray(at, at + PART_BYTES / 2))
    syncing.push(upload.sync())
    await new Promise((resolve) => setTimeout(resolve, 5))
    while (upload.room !== undefined) await upload.room
  }
  await Promise.all(syncing)
  await upload.complete()
  assert.ok(BYTES.equals(await contentOf(s3, 'twice')))
  assert.deepEqual(readdirSync(directory), [])
  rmSync(directory, { recursive: true })
  await s3.close()
})
