export { type ConnectOptions, connect, type Database } from './database/database.ts'
export type { Scan, ScanOptions } from './database/scan.ts'
export type { Table } from './database/table.ts'
export type { IndexDescription, IndexShape, TableDescription } from './database/tableDescription.ts'
export type { Transport } from './dynamodb/transport.ts'
export { inThreads, type ThreadsOptions } from './engines/inThreads.ts'
export { runLeasedSlice } from './engines/leasedSlice.ts'
export { runSlice, type SliceContext, type SliceCounters, type SliceResult } from './engines/runSlice.ts'
export {
  runStream,
  type StreamContext,
  type StreamCounters,
  type StreamRecord,
  type StreamResult,
} from './engines/runStream.ts'
export { beginSlice } from './engines/seedSlice.ts'
export { type SharedRateOptions, sharedRate } from './engines/sharedRate.ts'
export type { Slice, SliceCursor } from './engines/slice.ts'
export { type FinishExportOptions, type FinishedExport, finishExport } from './engines/slicedExport.ts'
export { ratesOf as sliceRates, type SliceRates } from './engines/sliceRates.ts'
export { FormatError } from './formats/formatError.ts'
export type { ItemFormat } from './formats/itemFormat.ts'
export type { ColumnType, CsvOptions, FormatName, RecordPlace, SourceRecord } from './formats/record.ts'
export { recordFileEnding } from './formats/recordFileEnding.ts'
export type { XmlElement, XmlMapping, XmlWriterOptions } from './formats/xmlWriter.ts'
export type { PlainItem, PlainValue } from './item/attributeValue.ts'
export type { ValueDifference } from './item/compareItems.ts'
export { decodeItemText } from './item/decode.ts'
export type { Changes, Edit } from './item/edit.ts'
export { encodeItem } from './item/encode.ts'
export { ItemError } from './item/itemError.ts'
export type { KeyAttribute, KeySchema } from './item/itemKey.ts'
export { NumberValue } from './item/number.ts'
export { parsePlainJson } from './item/plainJson.ts'
export { writePlainJson } from './item/writePlainJson.ts'
export { type Cost, CostMeter, type PricedTable, priceOf, type Units } from './job/costMeter.ts'
export type { Estimate } from './job/estimate.ts'
export { findSpec as findJobSpec, loadSpec as jobSpec } from './job/jobDirectory.ts'
export { type HistoryRun, type HistoryStep, type JobHistory, jobHistory } from './job/jobHistory.ts'
export type { JobSpec } from './job/jobSpec.ts'
export { type DamagedJob, type JobList, type JobStatus, jobStatus, listJobs } from './job/jobStatus.ts'
export type {
  ItemSample,
  NativeService,
  Plan,
  PlanCost,
  PlanOptions,
  PlanRate,
  PlanSample,
} from './job/plan.ts'
export { BUILT_IN_PRICES, type ClassPrices, type PriceTable, type RegionPrices } from './job/priceTable.ts'
export { readPriceFile } from './job/readPriceFile.ts'
export type { JobReject } from './job/reject.ts'
export { countRejects, type RejectCount } from './job/rejectCounts.ts'
export { RejectsFile } from './job/rejectsFile.ts'
export type { Summary } from './job/summary.ts'
export { type LocalStore, startLocal } from './local/startLocal.ts'
export type { CredentialProvider, Credentials } from './network/credentialSource.ts'
export { checkSources } from './operations/checkSources.ts'
export { type CopyOptions, copy } from './operations/copy.ts'
export { type Count, type CountOptions, count } from './operations/count.ts'
export { type CountSample, type CountSampleOptions, countSample } from './operations/countSample.ts'
export { type DiffOptions, type DiffSummary, diff } from './operations/diff.ts'
export { type Difference, differenceText } from './operations/difference.ts'
export {
  type ExportCsvOptions,
  type ExportOptions,
  type ExportXmlOptions,
  exportTable,
  type NativeExportOptions,
} from './operations/exportTable.ts'
export {
  type FileOptions,
  file,
  type RecordSource,
  type SourcePart,
  type SourceSample,
} from './operations/file.ts'
export type { FilesOptions } from './operations/files.ts'
export { files } from './operations/files.ts'
export { type GenerateOptions, generate } from './operations/generate.ts'
export type {
  DescribeOptions,
  FilteredJob,
  Job,
  JobLimits,
  JobRates,
  PlannableJob,
  RunOptions,
} from './operations/job.ts'
export {
  defineJob,
  type FilesSource,
  type ItemsSource,
  type JobDefinition,
  type JobSink,
  type JobSource,
  type TableSource,
} from './operations/jobDefinition.ts'
export { type LoadOptions, load } from './operations/load.ts'
export { missingActions } from './operations/missingActions.ts'
export { type OpenedJob, type OpenJobOptions, openJob } from './operations/openJob.ts'
export type { ResumeOptions } from './operations/operation.ts'
export type { LoadPlanOptions } from './operations/plan/planLoad.ts'
export { type PlannedWrites, planTable, type TablePlanRequest } from './operations/plan/planTable.ts'
export { optionalActions, type Policy, type PolicyOptions, policyFor } from './operations/policy.ts'
export { type FilterPreview, type FilterPreviewOptions, previewFilter } from './operations/previewFilter.ts'
export { type ResumedJob, readRates, resume } from './operations/resume.ts'
export {
  type AwaitExportOptions,
  awaitServiceExport,
  type ServiceExport,
  type ServiceExportOptions,
  startServiceExport,
} from './operations/serviceExport.ts'
export type { DeleteChange, PutChange, TableChange, UpdateChange } from './operations/tableChange.ts'
export { askTableFacts, type TableFacts, type Told } from './operations/tableFacts.ts'
export {
  type CreateTableOptions,
  createTable,
  dropTable,
  type ListTablesOptions,
  listTables,
  waitForTable,
} from './operations/tables.ts'
export type { Transform, Transformed, TransformSource } from './operations/transform.ts'
export { type UndoOptions, undo } from './operations/undo.ts'
export { type DeleteOptions, deleteAll, type UpdateOptions, updateAll } from './operations/updateAll.ts'
export type { Visitor, VisitorSource } from './operations/visitor.ts'
export type { Workers } from './operations/visitorThreads.ts'
export type { IfExists, WriteOptions } from './operations/writeOptions.ts'
export type { Publisher, PublisherOptions, Reject } from './publish/publisher.ts'
export type { PublisherStats } from './publish/publisherStats.ts'
export type { Clock, Timer } from './runtime/clock.ts'
export { type ErrorPlace, HeadraceError, type HeadraceErrorCode } from './runtime/headraceError.ts'
export type { Random } from './runtime/random.ts'
export type { Page } from './scan/page.ts'
export type { ScanStats } from './scan/scanEngine.ts'
export type { S3Options } from './storage/s3.ts'
export type { Rate } from './throughput/rate.ts'
export type { SharedRate } from './throughput/sharedRate.ts'
