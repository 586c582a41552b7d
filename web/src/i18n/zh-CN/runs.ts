/* Runs, their charts, evaluations and artifacts. */
import type { Texts } from "../i18n";

const texts: Texts<"runs"> = {
    "runs.lead": "每次训练的输入与结果。",
    "runs.search": "搜索运行",
    "runs.metric_columns": "指标",
    "runs.empty.body": "启动一个训练任务，观察它的学习过程。",
    "run.charts": "图表",
    "run.artifacts": "产物",
    "run.params": "参数",
    "run.tags": "标签",
    "run.notes": "备注",
    "run.notes.label": "其他人需要了解此运行的什么？",
    "run.spec": "规格",
    "run.no_metrics.waiting": "正在等待第一批指标",
    "run.no_metrics.waiting.body": "训练开始后图表会自动绘制。",
    "run.no_metrics.title": "没有指标",
    "run.no_metrics.body": "此运行在产生指标前已结束。",
    "run.register": "注册为模型",
    "run.register.body": "此运行的最佳权重将成为模型的下一个版本。",
    "run.register.hint": "新名称会创建新模型；已有名称会增加一个版本。",
    "run.register.action": "注册",
    "artifacts.empty.title": "还没有产物",
    "artifacts.empty.body": "检查点和模型会显示在这里。",
};

export default texts;
