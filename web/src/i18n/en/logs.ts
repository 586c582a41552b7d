/* Logs of jobs and runs. */
export default {
    "logs.title": "Log",
    "logs.search": "Search the log",
    "logs.follow": "Follow",
    "logs.more": "Show more",
    "logs.lines.one": "{n} line",
    "logs.lines.other": "{n} lines",
    "logs.empty.title": "Nothing logged yet",
    "logs.empty.body": "Lines appear here as they are written.",
    "logs.none.title": "No line matches",
    "logs.none.body": "Try fewer letters.",
} as const;
