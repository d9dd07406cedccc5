/**
 * What files of items are written as.
 *
 * | format | |
 * |---|---|
 * | `ddb-json` | `{"Item":{"id":{"S":"a"}}}`, an item a line, as the service's own export has it; loses nothing |
 * | `jsonl` | ordinary JSON, an item a line: a set becomes a list, bytes base64 text |
 * | `xml` | one document, an element for each item |
 * | `csv` | comma-separated values, a record to an item; the header has plain names, or names and types |
 * | `parquet` | Apache Parquet: typed columns, packed |
 * | `ion` | Amazon Ion text, an item a line, as the service's own export has it; loses nothing |
 */
export type ItemFormat = 'ddb-json' | 'jsonl' | 'xml' | 'csv' | 'parquet' | 'ion'
