// Printed by `slipwayd routes --typescript` from the server's tables. Do not edit.

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  field: string | null;
  request_id: string;
  /** the bytes at fault in the field's text */
  position?: { at: number; length: number };
}

export interface AggregateMetric {
  key: string;
  /** which value of each run: last by default */
  of?: "last" | "min" | "max";
}

export interface AliasUpdate {
  version: number;
}

export interface ApiToken {
  id: string;
  name: string;
  /** how the token begins, to recognise it */
  prefix: string;
  scopes: string[];
  /** the only projects it sees; null = every one */
  projects: string[] | null;
  /** name of who it acts as */
  owner: string;
  created_at: string;
  expires_at: string | null;
  /** to the minute */
  last_used_at: string | null;
}

export interface ApiTokenCreate {
  name: string;
  /** read, ingest, write, admin, metrics */
  scopes: string[];
  /** slugs of the only projects it sees; absent = every one */
  projects?: string[];
  /** absent = never */
  expires_in_days?: number;
}

export interface ApiTokenCreated {
  /** shown this once */
  token: string;
  id: string;
  name: string;
  expires_at: string | null;
}

export interface Artifact {
  /** null for a directory */
  id: string | null;
  /** null for a logged model's */
  run_id: string | null;
  /** the whole path */
  name: string;
  is_dir: boolean;
  /** 0 for a directory */
  size_bytes: number;
  sha256: string | null;
  media_type: string | null;
  created_at: string | null;
}

export interface ArtifactFromUpload {
  /** a complete upload */
  upload_id: string;
}

export interface AssessmentCreate {
  kind: "feedback" | "expectation";
  name: string;
  value: string | number | boolean;
  rationale?: string | null;
  /** what is judged, when it is not the whole trace */
  span_id?: string | null;
}

export interface AssessmentMade {
  /** as MLflow's clients tell them */
  assessment: Record<string, unknown>;
}

export interface AuditEvent {
  /** its place in the team's chain, from 1 */
  seq: number;
  at: string;
  actor_kind: string;
  actor_name: string;
  action: string;
  object: string;
  /** code of the refusal; null = it was done */
  refusal: string | null;
  remote: string;
  request_id: string;
}

export interface AuditVerification {
  ok: boolean;
  events: number;
  first_bad_seq: number | null;
  last_seq: number;
  /** of the newest event: kept elsewhere, it shows later that none was cut off */
  last_hash: string;
  message: string;
}

export interface BrowserSession {
  id: string;
  /** browser and system, as it says itself */
  device: string;
  /** address it signed in from */
  remote: string;
  created_at: string;
  /** to the life of an access token */
  last_used_at: string;
  /** if it is not used before */
  expires_at: string;
  /** the one that asks */
  current: boolean;
}

export interface Dataset {
  id: string;
  project_id: string;
  name: string;
  description: string;
  created_at: string;
  updated_at: string;
  latest_version: number | null;
  latest_state: string | null;
  /** image or table */
  kind: string | null;
  rows: number | null;
  size_bytes: number | null;
}

export interface DatasetCreate {
  name: string;
  description?: string;
}

export interface DatasetInput {
  name: string;
  digest: string;
  source_type: string;
  source: string;
  schema?: string | null;
  profile?: string | null;
  tags?: Record<string, string>;
}

export interface DatasetRead {
  name: string;
  digest: string;
  source_type: string;
  source: string;
  schema: string | null;
  tags: Record<string, string>;
}

export interface DatasetUpdate {
  description?: string;
}

export interface DatasetVersion {
  id: string;
  dataset_id: string;
  dataset_name: string;
  project_id: string;
  version: number;
  state: "importing" | "ready" | "failed";
  job_id: string | null;
  created_at: string;
  created_by: string;
  /** image or table */
  kind: string | null;
  rows: number | null;
  size_bytes: number | null;
  /** of the lines "<sha256>  <name>" of its files in the order of their names */
  sha256: string | null;
  shape: number[] | null;
  target: string | null;
  classes: { name: string; count: number }[] | null;
  splits: { train: number; validation: number; test: number } | null;
  /** as it was asked for */
  split: unknown | null;
  /** null in lists beyond 256 KiB */
  columns: unknown | null;
  /** null in lists beyond 256 KiB */
  samples: unknown | null;
  notes: string[] | null;
  error: unknown | null;
  files: { name: string; size_bytes: number; media_type: string }[];
}

export interface DatasetVersionCreate {
  upload_ids: string[];
  format?: "auto" | "idx" | "images" | "csv" | "tsv" | "jsonl" | "parquet";
  /** the column to predict, of a table */
  target?: string | null;
  split?: Split | null;
}

export interface EffectivePermission {
  subject_kind: "user" | "group" | "service";
  subject_id: string;
  subject_name: string;
  /** null = the whole team */
  project: string | null;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  /** where the role comes from */
  because: string;
  /** as routes name them */
  permissions: string[];
}

export interface Endpoint {
  id: string;
  model_version_id: string;
  model_name: string;
  version: number;
  state: "stopped" | "starting" | "ready" | "failed";
  requests: number;
  errors: number;
  /** median time of the last requests, in microseconds */
  p50_us: number | null;
  started_at: string | null;
  last_used_at: string | null;
  message: string;
}

export interface EventBatch {
  worker_id: string;
  epoch: number;
  first_seq: number;
  /** at most 500 */
  events: object[];
}

export interface EventsTaken {
  next_seq: number;
}

export interface Experiment {
  id: string;
  project_id: string;
  /** in its project, from 0; its id in MLflow */
  number: number;
  name: string;
  /** Markdown */
  description: string;
  /** "vision/ablation"; empty = none */
  folder: string;
  artifact_location: string | null;
  tags: Record<string, string>;
  /** that are not archived */
  runs: number;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
}

export interface ExperimentChange {
  name?: string;
  /** Markdown */
  description?: string;
  /** empty = none */
  folder?: string;
  /** those to set; null takes one away */
  tags?: Record<string, string | null>;
}

export interface ExperimentCreate {
  name: string;
  /** Markdown */
  description?: string;
  /** "vision/ablation" */
  folder?: string;
  tags?: Record<string, string>;
}

export interface ExperimentFolder {
  folder: string;
  /** in it, not below it */
  experiments: number;
}

export interface Feed {
  /** not an order: the event's id is */
  seq: number;
  /** kind and id of what changed */
  topic: string;
  /** what about it changed */
  kind: string;
  at: string;
}

export interface FolderMove {
  from: string;
  /** empty = up to the top */
  to: string;
}

export interface FolderMoved {
  /** experiments */
  moved: number;
}

export interface Granter {
  name: string;
  email: string;
}

export interface Group {
  id: string;
  name: string;
  description: string;
  members: number;
  created_at: string;
}

export interface GroupCreate {
  name: string;
  description?: string;
}

export interface GroupMember {
  id: string;
  name: string;
  /** or the name of a service account */
  email: string;
}

export interface GroupMemberAdd {
  /** a member or a service account */
  user_id: string;
}

export interface GroupRole {
  group: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
}

export interface GroupUpdate {
  name?: string;
  description?: string;
}

export interface Heartbeat {
  /** stop the runner and finish as cancelled */
  cancel: boolean;
}

export interface Invitation {
  id: string;
  email: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  state: "pending" | "accepted" | "revoked" | "expired";
  invited_by: string;
  created_at: string;
  expires_at: string;
}

export interface InvitationAccept {
  /** of the new account; not needed where there is one */
  name?: string;
  password: string;
  /** of the account's second factor */
  code?: string;
}

export interface InvitationCreate {
  email: string;
  /** not "none" */
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  /** 72 by default */
  expires_in_hours?: number;
}

export interface InvitationCreated {
  id: string;
  email: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  state: "pending" | "accepted" | "revoked" | "expired";
  invited_by: string;
  created_at: string;
  expires_at: string;
  /** shown this once */
  link: string;
}

export interface InvitationView {
  team: string;
  email: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  /** then the account's own password accepts it */
  has_account: boolean;
}

export interface Job {
  id: string;
  project_id: string;
  /** dataset.import, train or predict */
  kind: string;
  name: string;
  state: "queued" | "running" | "lost_contact" | "cancelling" | "succeeded" | "failed" | "cancelled";
  /** attempts begun so far */
  attempt: number;
  max_attempts: number;
  /** 0 to 1 */
  progress: number;
  message: string;
  eta_s: number | null;
  worker: string | null;
  error: JobError | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  created_by: string;
  run_id: string | null;
  dataset_version_id: string | null;
  model_version_id: string | null;
  /** why a queued job is not running; not told in lists */
  waiting_for: string | null;
}

export interface JobError {
  code: string;
  message: string;
  field?: string | null;
  file?: string | null;
  place?: string | null;
}

export interface JobEvent {
  seq: number;
  at: string;
  from_state: "queued" | "running" | "lost_contact" | "cancelling" | "succeeded" | "failed" | "cancelled" | null;
  state: "queued" | "running" | "lost_contact" | "cancelling" | "succeeded" | "failed" | "cancelled";
  attempt: number;
  reason: string;
}

export interface JobFinish {
  worker_id: string;
  epoch: number;
  outcome: "succeeded" | "failed" | "cancelled" | "requeue";
  error?: JobError | null;
  retryable?: boolean;
  result?: unknown | null;
  outputs?: JobOutput[] | null;
}

export interface JobFinished {
  state: "queued" | "running" | "lost_contact" | "cancelling" | "succeeded" | "failed" | "cancelled";
}

export interface JobLogLine {
  seq: number;
  at: string;
  level: "info" | "warning" | "error";
  message: string;
}

export interface JobOutput {
  name: string;
  sha256: string;
  size_bytes: number;
  media_type: string;
}

export interface LayerReport {
  index: number;
  type: string;
  output: number[];
  parameters: number;
}

export interface Lease {
  job: LeasedJob;
}

export interface LeaseHolder {
  worker_id: string;
  epoch: number;
}

export interface LeaseInput {
  name: string;
  file_name: string;
  sha256: string;
  size_bytes: number;
}

export interface LeaseLimits {
  /** 0 = the worker's own limit */
  memory_bytes: number;
  /** 0 = what the worker grants */
  threads: number;
  /** 0 = none */
  wall_seconds: number;
}

export interface LeaseRequest {
  worker_id: string;
  kinds: string[];
  wait_seconds?: number;
}

export interface LeasedJob {
  id: string;
  kind: string;
  attempt: number;
  epoch: number;
  spec: unknown;
  inputs: LeaseInput[];
  limits: LeaseLimits;
}

export interface LineageEdge {
  /** what was used */
  from: string;
  /** what came of it */
  to: string;
  relation: string;
  at: string;
}

export interface LineageGraph {
  root: string;
  nodes: LineageNode[];
  edges: LineageEdge[];
  /** there is more than is shown */
  truncated: boolean;
}

export interface LineageNode {
  /** kind:ref_id */
  id: string;
  /** dataset_version, job, run, artifact, model_version or endpoint */
  kind: string;
  ref_id: string;
  name: string;
  state: string | null;
  created_at: string;
}

export interface LogLine {
  seq: number;
  at: string;
  level: "info" | "warning" | "error";
  message: string;
}

export interface LoggedModel {
  id: string;
  project_id: string;
  experiment_id: string;
  experiment_number: number;
  /** the experiment's own */
  artifact_location: string | null;
  name: string;
  model_type: string;
  source_run_id: string | null;
  /** a run of another server, or empty */
  source_run_ref: string;
  status: "pending" | "ready" | "failed";
  status_message: string;
  created_by: string;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
  tags: Record<string, string>;
  params: Record<string, string>;
  /** what runs measured of it, the newest 1,000 */
  metrics: { key: string; value: number | string; step: number; timestamp: number; run_id: string; dataset_name: string; dataset_digest: string }[];
}

export interface LoggedModelTagsChange {
  /** those to set; null takes one away */
  tags: Record<string, string | null>;
}

export interface Login {
  email: string;
  password: string;
  /** of the second factor, or a recovery code */
  code?: string;
}

export interface Member {
  user_id: string;
  email: string;
  name: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  state: "active" | "deactivated";
  /** whether a second factor is asked at sign-in */
  totp: boolean;
  /** names of the groups in this team */
  groups: string[];
  /** last renewal of a browser session in this team */
  last_seen_at: string | null;
  created_at: string;
}

export interface MemberUpdate {
  /** not "none" */
  role?: "none" | "viewer" | "editor" | "admin" | "owner";
  state?: "active" | "deactivated";
}

export interface MetricBucket {
  step: number;
  last_step: number;
  at: string;
  min: number;
  max: number;
  first: number;
  last: number;
  count: number;
  non_finite: number;
}

export interface MetricPoint {
  key: string;
  step: number;
  /** null is the beginning of 1970, which some clients send */
  at: string | null;
  value: number;
}

export interface MetricPointReport {
  /** at most 250 characters */
  key: string;
  /** 0 by default */
  step?: number;
  /** now by default */
  at?: string | null;
  /** or "NaN", "Infinity", "-Infinity" */
  value: number | string;
}

export interface MetricSeries {
  key: string;
  points: number;
  first_step: number;
  last_step: number;
  buckets: MetricBucket[];
}

export interface MetricsReport {
  points: MetricPointReport[];
}

export interface Model {
  id: string;
  project_id: string;
  name: string;
  description: string;
  created_at: string;
  updated_at: string;
  versions: number;
  latest_version: number | null;
  /** of the newest version */
  metrics: Record<string, number> | null;
  tags: Record<string, string>;
  /** version numbers by alias */
  aliases: Record<string, number>;
}

export interface ModelCreate {
  name: string;
  description?: string;
  tags?: Record<string, string> | null;
}

export interface ModelLink {
  id: string;
  name: string;
  /** by the run; else read by it */
  made: boolean;
  step: number;
}

export interface ModelOutput {
  model_id: string;
  step?: number;
}

export interface ModelUpdate {
  name?: string;
  description?: string;
}

export interface ModelVersion {
  id: string;
  project_id: string;
  model_id: string;
  model_name: string;
  version: number;
  description: string;
  /** as it was given */
  source: string;
  run_id: string | null;
  /** a run of another server, or empty */
  run_ref: string;
  /** address of its files in another store, or empty */
  location: string;
  /** a page elsewhere, or empty */
  run_link: string;
  logged_model_id: string | null;
  stage: "none" | "staging" | "production" | "archived";
  status: "pending" | "ready" | "failed";
  status_message: string;
  created_at: string;
  updated_at: string;
  created_by: string;
  tags: Record<string, string>;
  aliases: string[];
  metrics: Record<string, number>;
  /** whether Slipway can serve it; others have no signature and input kind */
  servable: boolean;
  signature: { inputs: { name: string; datatype: string; shape: number[] }[]; outputs: { name: string; datatype: string; shape: number[] }[] } | null;
  classes: string[] | null;
  /** image or table */
  input_kind: string | null;
  input_shape: number[] | null;
  size_bytes: number;
  file_count: number;
  /** the first 1,000 by name */
  files: { name: string; size_bytes: number; media_type: string; sha256: string }[];
  endpoint: Endpoint | null;
  /** null in lists */
  evaluation: unknown | null;
}

export interface ModelVersionCreate {
  /** the model's name; made when absent */
  model: string;
  /** the run it comes from; without a source, a succeeded one with a model */
  run_id?: string | null;
  /** where its files are: runs:/<run>/path, models:/<name>/<version>, models:/<name>@<alias>, models:/m-<logged model> or mlflow-artifacts:/…; an address of another store is kept, and nothing behind it asked */
  source?: string | null;
  run_link?: string | null;
  description?: string;
  tags?: Record<string, string> | null;
}

export interface ModelVersionUpdate {
  description?: string;
  stage?: "none" | "staging" | "production" | "archived";
  /** versions that are in this stage become archived */
  archive_existing?: boolean;
}

export interface PasswordChange {
  current: string;
  /** in bytes, taken exactly as typed */
  password: string;
  /** true by default */
  end_other_sessions?: boolean;
}

export interface PasswordReset {
  /** in bytes, taken exactly as typed */
  password: string;
}

export interface PermissionAnswer {
  allowed: boolean;
  permission: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  needs: "none" | "viewer" | "editor" | "admin" | "owner";
  because: string;
  who_can_grant: Granter[];
}

export interface Project {
  id: string;
  /** its name in paths */
  slug: string;
  name: string;
  description: string;
  created_at: string;
  datasets: number;
  runs: number;
  models: number;
  /** queued or at work, without endpoints */
  active_jobs: number;
}

export interface ProjectCreate {
  /** small letters, digits and dashes */
  slug: string;
  name: string;
  description?: string;
}

export interface ProjectRole {
  /** its slug */
  project: string;
  subject_kind: "user" | "group" | "service";
  subject_id: string;
  subject_name: string;
  /** none hides the project */
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  created_at: string;
}

export interface ProjectRoleSet {
  subject_kind: "user" | "group" | "service";
  subject_id: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
}

export interface Provider {
  id: string;
  name: string;
  issuer: string;
  client_id: string;
  has_secret: boolean;
  group_claim: string;
  /** the highest role that fits counts */
  group_roles: GroupRole[];
  /** of those in no group of the list; null = they stay out */
  default_role: "none" | "viewer" | "editor" | "admin" | "owner" | null;
  /** passwords let in owners alone */
  sso_only: boolean;
  enabled: boolean;
  /** to be registered with the provider */
  redirect_uri: string;
}

export interface ProviderCreate {
  name: string;
  /** exactly as the provider spells it */
  issuer: string;
  client_id: string;
  /** null = a public client */
  client_secret?: string | null;
  /** "groups" by default */
  group_claim?: string;
  group_roles?: GroupRole[];
  default_role?: "none" | "viewer" | "editor" | "admin" | "owner" | null;
  sso_only?: boolean;
  /** true by default */
  enabled?: boolean;
}

export interface ProviderTest {
  ok: boolean;
  /** in order; the last is the one that failed, if any */
  steps: ProviderTestStep[];
}

export interface ProviderTestStep {
  /** discovery, keys or client */
  name: string;
  ok: boolean;
  /** a sentence */
  detail: string;
}

export interface ProviderUpdate {
  name?: string;
  /** exactly as the provider spells it */
  issuer?: string;
  client_id?: string;
  /** null = a public client */
  client_secret?: string | null;
  /** "groups" by default */
  group_claim?: string;
  group_roles?: GroupRole[];
  default_role?: "none" | "viewer" | "editor" | "admin" | "owner" | null;
  sso_only?: boolean;
  /** true by default */
  enabled?: boolean;
}

export interface Quota {
  name: "storage_bytes" | "runs" | "queued_jobs" | "tokens" | "requests_per_minute" | "members";
  /** null = none; requests are counted by each slipwayd for itself */
  limit: number | null;
  /** requests: of this minute, when they are limited */
  used: number;
}

export interface QuotaSet {
  name: "storage_bytes" | "runs" | "queued_jobs" | "tokens" | "requests_per_minute" | "members";
  limit: number | null;
}

export interface Quotas {
  items: Quota[];
}

export interface RecoveryCodes {
  /** each good once; shown this once */
  codes: string[];
}

export interface RegistryTag {
  key: string;
  value: string;
}

export interface ResetLink {
  /** good once and for an hour; shown this once */
  link: string;
}

export interface Run {
  id: string;
  project_id: string;
  experiment_id: string;
  experiment_name: string;
  experiment_number: number;
  name: string;
  state: "queued" | "running" | "lost_contact" | "succeeded" | "failed" | "cancelled";
  parent_id: string | null;
  /** native, mlflow, import, … */
  source: string;
  user_name: string | null;
  archived_at: string | null;
  job_id: string | null;
  dataset_version_id: string | null;
  dataset_name: string | null;
  dataset_version: number | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  created_by: string;
  notes: string;
  tags: Record<string, string>;
  params: Record<string, string>;
  /** the last value of each metric */
  metrics: Record<string, number | string>;
  /** the least finite value of each, in lists with ranges=true */
  metrics_min: Record<string, number> | null;
  /** the greatest, likewise */
  metrics_max: Record<string, number> | null;
  progress: number;
  message: string;
  eta_s: number | null;
  device: string | null;
  /** null in lists */
  evaluation: unknown | null;
  spec: unknown | null;
}

export interface RunAggregate {
  /** metrics.loss < 0.2 AND (params.lr = '0.1' OR NOT tags.stage = 'draft') */
  filter?: string | null;
  /** part of the name */
  q?: string | null;
  experiment?: string | null;
  state?: "queued" | "running" | "lost_contact" | "succeeded" | "failed" | "cancelled" | null;
  /** active by default */
  lifecycle?: "active" | "archived" | "all";
  /** ids; all by default */
  experiments?: string[] | null;
  /** params.x, tags.x or an attribute that is a text; nothing = one group */
  group_by?: string[];
  metrics?: AggregateMetric[];
}

export interface RunBulk {
  ids: string[];
  action: "tag" | "untag" | "move" | "archive" | "restore" | "delete";
  /** tag, untag */
  key?: string | null;
  /** tag */
  value?: string | null;
  /** move: where to */
  experiment_id?: string | null;
}

export interface RunBulkDone {
  action: "tag" | "untag" | "move" | "archive" | "restore" | "delete";
  /** that were named */
  runs: number;
  /** that were not so before */
  changed: number;
}

export interface RunField {
  /** as a filter writes it: metrics.loss */
  name: string;
  type: "text" | "number" | "time" | "id";
}

export interface RunGroup {
  /** as group_by; null = runs without it */
  keys: (string | null)[];
  runs: number;
  /** count is of every value, the rest of the finite ones */
  metrics: { key: string; of: string; count: number; mean: number | null; min: number | null; max: number | null; stddev: number | null }[];
}

export interface RunInputsReport {
  datasets?: DatasetInput[];
  /** ids of logged models, also as "m-…" */
  models?: string[];
}

export interface RunLinks {
  datasets: DatasetRead[];
  models: ModelLink[];
}

export interface RunOpen {
  /** one is made up when there is none */
  name?: string | null;
  user?: string | null;
  parent_id?: string | null;
  source?: string | null;
  /** running by default */
  state?: "queued" | "running" | "lost_contact" | "succeeded" | "failed" | "cancelled" | null;
  /** now by default */
  started_at?: string | null;
  tags?: Record<string, string>;
  params?: Record<string, string>;
}

export interface RunOpenNamed {
  /** its name, made when there is none; null = the project's first */
  experiment?: string | null;
  /** one is made up when there is none */
  name?: string | null;
  user?: string | null;
  parent_id?: string | null;
  source?: string | null;
  /** running by default */
  state?: "queued" | "running" | "lost_contact" | "succeeded" | "failed" | "cancelled" | null;
  /** now by default */
  started_at?: string | null;
  tags?: Record<string, string>;
  params?: Record<string, string>;
}

export interface RunOutputsReport {
  models: ModelOutput[];
}

export interface RunParamsReport {
  /** a parameter keeps its first value */
  params: Record<string, string>;
}

export interface RunStateReport {
  state: "queued" | "running" | "lost_contact" | "succeeded" | "failed" | "cancelled";
  /** now by default */
  finished_at?: string | null;
}

export interface RunTagsReport {
  /** those to set; null takes one away */
  tags: Record<string, string | null>;
}

export interface RunUpdate {
  name?: string;
  /** Markdown */
  notes?: string;
  /** replaces all tags */
  tags?: Record<string, string>;
}

export interface SecondFactorCode {
  code: string;
}

export interface ServiceAccount {
  id: string;
  name: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  state: "active" | "deactivated";
  tokens: number;
  created_at: string;
  created_by: string;
}

export interface ServiceAccountCreate {
  name: string;
  role: "none" | "viewer" | "editor" | "admin" | "owner";
}

export interface ServiceAccountUpdate {
  name?: string | null;
  role?: "none" | "viewer" | "editor" | "admin" | "owner" | null;
  state?: "active" | "deactivated" | null;
}

export interface Session {
  user: User;
  team: Team;
  teams: Team[];
  role: "none" | "viewer" | "editor" | "admin" | "owner";
  /** what the caller may do, as routes name it */
  scopes: string[];
  /** when to refresh; null for an API token */
  expires_at: string | null;
}

export interface Setup {
  /** from the server's log or key_dir/setup.secret */
  secret: string;
  email: string;
  name: string;
  /** in bytes, taken exactly as typed */
  password: string;
  team_slug: string;
  team_name: string;
}

export interface SetupState {
  /** whether there is no owner yet */
  needed: boolean;
}

export interface SignIn {
  providers: SignInProvider[];
  /** false = passwords let in owners alone */
  password: boolean;
}

export interface SignInProvider {
  id: string;
  name: string;
}

export interface SpecReport {
  layers: LayerReport[];
  parameters: number;
  steps_per_epoch: number;
  steps: number;
}

export interface Split {
  train: number;
  validation: number;
  test: number;
  seed?: number;
  stratify?: boolean;
}

export interface Team {
  id: string;
  slug: string;
  name: string;
}

export interface TeamChoice {
  team_id: string;
}

export interface Template {
  id: string;
  title: string;
  description: string;
  kind: string;
  spec: unknown;
}

export interface TotpSetup {
  /** base32, to type in */
  secret: string;
  uri: string;
  /** the URI as a QR code */
  qr_svg: string;
}

export interface Trace {
  id: string;
  project_id: string;
  experiment_id: string;
  experiment_number: number;
  /** the client's own */
  trace_id: string;
  client_request_id: string | null;
  state: "unspecified" | "ok" | "error" | "in_progress";
  requested_at: string;
  duration_ms: number | null;
  request_preview: string | null;
  response_preview: string | null;
  tags: Record<string, string>;
  metadata: Record<string, string>;
  runs: string[];
  /** feedback and expectations, as MLflow's clients tell them */
  assessments: Record<string, unknown>[];
  span_count: number;
}

export interface TraceDetail {
  trace: Trace;
  spans: TraceSpan[];
}

export interface TraceSpan {
  trace: string;
  span_id: string;
  parent_id: string | null;
  name: string;
  type: string;
  /** UNSET, OK or ERROR */
  status: string;
  started_ns: number;
  ended_ns: number;
  /** the whole span in the words of OTLP's JSON; null when it, or the trace, is large */
  body: Record<string, unknown> | null;
}

export interface TraceTagsChange {
  /** those to set; null takes one away */
  tags: Record<string, string | null>;
}

export interface TracesDelete {
  ids: string[];
}

export interface TracesDeleted {
  /** that were deleted */
  traces: number;
}

export interface TrainingCheck {
  dataset_version_id: string;
  spec: unknown;
}

export interface TrainingCreate {
  dataset_version_id: string;
  name?: string | null;
  /** its name; made when absent */
  experiment?: string | null;
  spec: unknown;
}

export interface Upload {
  id: string;
  file_name: string;
  size_bytes: number;
  /** durable so far: where to go on */
  offset_bytes: number;
  state: "receiving" | "complete";
  sha256: string | null;
  created_at: string;
  expires_at: string;
}

export interface User {
  id: string;
  email: string;
  name: string;
  /** en or zh-CN */
  locale: string;
  created_at: string;
}

export interface UserUpdate {
  name?: string;
  locale?: string;
}

export interface Webhook {
  id: string;
  project_id: string;
  name: string;
  description: string;
  url: string;
  events: string[];
  /** what is sent is signed with it */
  has_secret: boolean;
  status: "active" | "disabled";
  /** why the server switched it off; empty = it did not */
  disabled_reason: string;
  failing_since: string | null;
  /** attempts in a row that failed */
  failures: number;
  created_by: string;
  created_at: string;
  updated_at: string;
  /** of the newest delivery */
  last_state: "waiting" | "delivered" | "failed" | null;
  last_at: string | null;
}

export interface WebhookCreate {
  name: string;
  /** https; addresses of private networks only where the operator allows them */
  url: string;
  /** such as model_version.created */
  events: string[];
  description?: string;
  /** what is sent is signed with it; it is never told again */
  secret?: string;
  status?: "active" | "disabled";
}

export interface WebhookDelivery {
  /** the same at each attempt: X-MLflow-Delivery-Id */
  id: string;
  event: string;
  /** what is sent, byte for byte */
  body: string;
  state: "waiting" | "delivered" | "failed";
  attempts: number;
  next_attempt_at: string | null;
  /** one of each attempt, the first first */
  log: { at: string; status: number | null; duration_ms: number; error: string | null }[];
  created_at: string;
  finished_at: string | null;
}

export interface WebhookTest {
  ok: boolean;
  /** of the answer; null = there was none */
  status: number | null;
  /** its beginning */
  answer: string | null;
  /** a sentence */
  error: string | null;
  duration_ms: number;
}

export interface WebhookTestRequest {
  /** null = the first of the hook's */
  event?: string | null;
}

export interface WebhookUpdate {
  name?: string;
  url?: string;
  events?: string[];
  description?: string;
  /** empty = what is sent is no longer signed */
  secret?: string;
  status?: "active" | "disabled";
}

export interface Worker {
  id: string;
  name: string;
  /** online or offline */
  state: string;
  version: string;
  capabilities: unknown;
  /** what keeps a runner in */
  sandbox: string[];
  slots: number;
  busy: number;
  last_seen_at: string;
}

export interface WorkerHello {
  name: string;
  version: string;
  slots: number;
  kinds: string[];
  capabilities: unknown;
  sandbox: string[];
}

export interface WorkerWelcome {
  worker_id: string;
  heartbeat_seconds: number;
  lease_seconds: number;
}
