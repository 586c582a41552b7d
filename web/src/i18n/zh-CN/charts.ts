/* Charts and evaluations, wherever they are drawn. */
import type { Texts } from "../i18n";

const texts: Texts<"charts"> = {
    "run.evaluation": "评估",
    "chart.label": "{name} 图表：{series}",
    "chart.step": "第 {step} 步",
    "chart.non_finite": "{n} 处非有限值",
    "chart.smoothing": "平滑",
    "chart.log": "对数",
    "chart.hint": "拖动缩放，双击还原",
    "chart.reset": "第 {from}–{to} 步：显示全部",
    "evaluation.confusion": "混淆矩阵",
    "evaluation.confusion.caption": "行为真实类别，列为预测类别。",
    "evaluation.axes": "真实 ↓ 预测 →",
    "evaluation.cell": "{actual} 被判为 {predicted}：{share}",
    "evaluation.worst": "最常见的错误",
    "evaluation.mistake": "{actual} 被判为 {predicted}",
    "evaluation.no_mistakes": "测试集上没有错误。",
    "evaluation.classes": "各类别",
    "evaluation.class": "类别",
    "evaluation.precision": "精确率",
    "evaluation.recall": "召回率",
    "evaluation.f1": "F1",
    "evaluation.support": "样本数",
    "chart.more": "显示更多（{n}）",
};

export default texts;
