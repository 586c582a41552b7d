/* Shapes of the REST API. Printed by `slipwayd routes --typescript`; do not edit. */
/* eslint-disable */
export type Role = "owner" | "admin" | "editor" | "viewer";
export interface User { id: string; email: string; name: string; locale: "en" | "zh-CN"; created_at: string }
export interface Team { id: string; slug: string; name: string }
export interface Session { user: User; team: Team; teams: Team[]; role: Role; scopes: string[]; expires_at: string }
export interface ApiToken { id: string; name: string; prefix: string; scopes: string[]; created_at: string; expires_at: string | null; last_used_at: string | null }
export interface ApiTokenCreated { token: string; id: string; name: string; expires_at: string | null }
export interface Project { id: string; slug: string; name: string; description: string; created_at: string; datasets: number; runs: number; models: number; active_jobs: number }
export interface Upload { id: string; file_name: string; size_bytes: number; offset_bytes: number; state: "receiving" | "complete"; sha256: string | null; created_at: string; expires_at: string }
export type VersionState = "importing" | "ready" | "failed";
export interface Dataset { id: string; project_id: string; name: string; description: string; created_at: string; updated_at: string; latest_version: number | null; latest_state: VersionState | null; kind: "image" | "table" | null; rows: number | null; size_bytes: number | null }
export interface JobError { code: string; message: string; field: string | null; file: string | null; place: string | null }
export interface Column { name: string; type: string; nulls: number; distinct: number; statistics: Statistics | null; histogram: { edges: number[]; counts: number[] } | null; top: { value: string; count: number }[] | null }
export interface Statistics { min: number; max: number; mean: number; stddev: number; p05: number; p25: number; p50: number; p75: number; p95: number }
export interface DatasetVersion { id: string; dataset_id: string; dataset_name: string; version: number; state: VersionState; job_id: string; created_at: string; created_by: string; kind: "image" | "table" | null; rows: number | null; size_bytes: number | null; sha256: string | null; shape: number[] | null; target: string | null; classes: { name: string; count: number }[] | null; splits: { train: number; validation: number; test: number } | null; split: object | null; columns: Column[] | null; samples: object | null; notes: string[] | null; error: JobError | null; files: { name: string; size_bytes: number; media_type: string }[] }
export type JobState = "queued" | "running" | "lost_contact" | "cancelling" | "succeeded" | "failed" | "cancelled";
export interface Job { id: string; project_id: string; kind: "dataset.import" | "train" | "predict"; name: string; state: JobState; attempt: number; max_attempts: number; progress: number; message: string; eta_s: number | null; worker: string | null; error: JobError | null; created_at: string; started_at: string | null; finished_at: string | null; created_by: string; run_id: string | null; dataset_version_id: string | null; model_version_id: string | null; waiting_for: string | null }
export interface JobEvent { seq: number; at: string; from_state: JobState | null; state: JobState; attempt: number; reason: string }
export interface Experiment { id: string; project_id: string; name: string; description: string; runs: number; created_at: string }
export type RunState = "queued" | "running" | "lost_contact" | "succeeded" | "failed" | "cancelled";
export interface Evaluation { confusion: { labels: string[]; matrix: number[][] } | null; class_metrics: { label: string; precision: number; recall: number; f1: number; support: number }[] | null }
export interface Run { id: string; project_id: string; experiment_id: string; experiment_name: string; name: string; state: RunState; job_id: string | null; dataset_version_id: string | null; dataset_name: string | null; dataset_version: number | null; created_at: string; started_at: string | null; finished_at: string | null; created_by: string; notes: string; tags: Record<string, string>; params: Record<string, string>; metrics: Record<string, number | string>; progress: number; message: string; eta_s: number | null; device: string | null; evaluation: Evaluation | null; spec: object | null }
export interface MetricSeries { key: string; points: number; first_step: number; last_step: number; buckets: { step: number; last_step: number; at: string; min: number | string; max: number | string; first: number | string; last: number | string; count: number; non_finite: number }[] }
export interface LogLine { seq: number; at: string; level: "info" | "warning" | "error"; message: string }
export interface Artifact { id: string; run_id: string; name: string; size_bytes: number; sha256: string; media_type: string; created_at: string }
export interface Model { id: string; project_id: string; name: string; description: string; created_at: string; updated_at: string; versions: number; latest_version: number | null; metrics: Record<string, number> | null }
export interface TensorSpec { name: string; datatype: string; shape: number[] }
export interface Endpoint { id: string; model_version_id: string; model_name: string; version: number; state: "stopped" | "starting" | "ready" | "failed"; requests: number; errors: number; p50_us: number | null; started_at: string | null; last_used_at: string | null; message: string }
export interface ModelVersion { id: string; model_id: string; model_name: string; version: number; description: string; run_id: string | null; created_at: string; created_by: string; metrics: Record<string, number>; signature: { inputs: TensorSpec[]; outputs: TensorSpec[] }; classes: string[] | null; input_kind: "image" | "table"; input_shape: number[]; size_bytes: number; files: { name: string; size_bytes: number; media_type: string; sha256: string }[]; endpoint: Endpoint | null; evaluation: Evaluation | null }
export interface Template { id: string; title: string; description: string; kind: "image" | "table"; spec: object }
export interface SpecReport { layers: { index: number; type: string; output: number[]; parameters: number }[]; parameters: number; steps_per_epoch: number; steps: number }
export type NodeKind = "dataset_version" | "job" | "run" | "artifact" | "model_version" | "endpoint";
export interface LineageGraph { root: string; nodes: { id: string; kind: NodeKind; ref_id: string; name: string; state: string | null; created_at: string }[]; edges: { from: string; to: string; relation: string; at: string }[]; truncated: boolean }
export interface Worker { id: string; name: string; state: "online" | "offline"; version: string; capabilities: object; sandbox: string[]; slots: number; busy: number; last_seen_at: string }
export interface Feed { seq: number; topic: string; kind: string; at: string }
