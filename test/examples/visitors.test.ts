import assert from 'node:assert/strict'
import { test } from 'node:test'
import geohashOfCity, { geohash } from '../../examples/visitors/geohash.ts'
import piecesOfOrder from '../../examples/visitors/pieces.ts'

test('the geohash visitor gives the published example its published geohash, and numbers for its texts', () => {
  // Jutland, the example of the encyclopaedias: u4pruydqqvj.
  assert.equal(geohash(57.64911, 10.40744), 'u4pruydq')
  assert.deepEqual(geohashOfCity({ id: 'DK-1', lat: '57.64911', lng: '10.40744' }), {
    set: { position: { latitude: 57.64911, longitude: 10.40744 }, geohash: 'u4pruydq' },
  })
})

test('the geohash visitor fails for a city without a place, so that it becomes a reject', () => {
  assert.throws(() => geohashOfCity({ id: 'XX-1', lat: 'north' }), /no usable lat and lng/)
})

test('the pieces visitor adds up the lines of an order', () => {
  assert.deepEqual(piecesOfOrder({ lines: [{ pieces: 3 }, { pieces: 4 }] }), { set: { pieces: 7 } })
})
