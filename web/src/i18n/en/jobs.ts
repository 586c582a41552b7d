/* Jobs and logs. */
export default {
    "jobs.lead": "Everything that runs in the background, with the reason for each change.",
    "jobs.empty.body": "Imports and trainings appear here.",
    "job.open_run": "Open the run",
    "job.result": "Result",
    "job.timeline": "Timeline",
    "job.attempt_n": "Attempt {n}",
} as const;
