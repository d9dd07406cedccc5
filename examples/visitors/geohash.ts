// A visitor module: shown every item, it returns what to change. Run it with
//   headrace update cities examples/visitors/geohash.ts
import type { Edit, PlainItem } from 'headrace'

const ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz'

/** Gives a city its place on Earth as numbers, and as a geohash of eight letters (some 20 m). */
export default function geohashOfCity(city: PlainItem): Edit {
  const latitude = Number(city['lat'])
  const longitude = Number(city['lng'])
  if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) throw new Error('no usable lat and lng')
  return { set: { position: { latitude, longitude }, geohash: geohash(latitude, longitude) } }
}

/** Gustavo Niemeyer's geohash: halves longitude and latitude in turn, five halvings a letter. */
export function geohash(latitude: number, longitude: number): string {
  let [south, north, west, east] = [-90, 90, -180, 180]
  let hash = ''
  let letter = 0
  for (let bit = 0; bit < 40; bit += 1) {
    letter *= 2
    if (bit % 2 === 0) {
      const middle = (west + east) / 2
      if (longitude >= middle) [letter, west] = [letter + 1, middle]
      else east = middle
    } else {
      const middle = (south + north) / 2
      if (latitude >= middle) [letter, south] = [letter + 1, middle]
      else north = middle
    }
    if (bit % 5 === 4) {
      hash += ALPHABET[letter]
      letter = 0
    }
  }
  return hash
}
