/* Logs of jobs and runs. */
import type { Texts } from "../i18n";

const texts: Texts<"logs"> = {
    "logs.title": "日志",
    "logs.search": "搜索日志",
    "logs.follow": "跟随",
    "logs.more": "显示更多",
    "logs.lines.one": "{n} 行",
    "logs.lines.other": "{n} 行",
    "logs.empty.title": "还没有日志",
    "logs.empty.body": "日志写入后会显示在这里。",
    "logs.none.title": "没有匹配的行",
    "logs.none.body": "请减少搜索字符。",
};

export default texts;
