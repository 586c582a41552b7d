/* The lineage graph. */
import type { Texts } from "../i18n";

const texts: Texts<"lineage"> = {
    "lineage.lead": "来源与去向。",
    "lineage.direction": "方向",
    "lineage.both": "双向",
    "lineage.up": "来源",
    "lineage.down": "去向",
    "lineage.depth": "深度",
    "lineage.steps.one": "{n} 步",
    "lineage.steps.other": "{n} 步",
    "lineage.focus": "以所选为起点",
    "lineage.keys": "方向键移动，回车打开",
    "lineage.graph": "包含 {n} 个对象的血缘图",
    "lineage.truncated": "仅显示 500 个对象",
    "lineage.empty.title": "还没有内容",
    "lineage.empty.body": "导入数据或训练模型，每一步都会记录在此。",
    "node.dataset_version": "数据集版本",
    "node.job": "任务",
    "node.run": "运行",
    "node.artifact": "产物",
    "node.model_version": "模型版本",
    "node.endpoint": "端点",
};

export default texts;
