/* Jobs and logs. */
import type { Texts } from "../i18n";

const texts: Texts<"jobs"> = {
    "jobs.lead": "所有后台工作，以及每次变化的原因。",
    "jobs.empty.body": "导入和训练会显示在这里。",
    "job.open_run": "打开运行",
    "job.result": "结果",
    "job.timeline": "时间线",
    "job.attempt_n": "第 {n} 次",
};

export default texts;
