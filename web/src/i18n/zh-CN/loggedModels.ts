/* Logged models: what clients saved as a model. */
import type { Texts } from "../i18n";

const texts: Texts<"loggedModels"> = {
    "logged_models.lead": "运行保存的模型，无论是否已注册。",
    "logged_models.filter": "筛选已记录模型",
    "logged_models.filter.placeholder": "名称或类型关键词，或 metrics.loss < 0.1 AND params.depth = '3'",
    "logged_models.empty.title": "还没有已记录模型",
    "logged_models.empty.body": "mlflow.<库>.log_model 会保存模型，autolog 也会。",
    "logged_model.title": "已记录模型",
    "logged_model.type": "类型",
    "logged_model.source_run": "来源运行",
    "logged_model.id": "模型 ID",
    "logged_model.overview": "概览",
    "logged_model.metrics.on": "{name} 上的指标",
    "logged_model.metrics.none": "没有对它测量过指标。",
    "logged_model.step": "步数",
    "logged_model.versions": "已注册版本",
    "logged_model.versions.none": "尚未注册。",
    "logged_model.archive.title": "归档“{name}”？",
    "logged_model.archive.body": "它将从所有列表中移除；由它注册的版本保留。",
    "logged_model_help.words": "没有运算符的词在名称和类型中查找。",
    "logged_model_help.metric": "指标的最新值。",
    "logged_model_help.type": "类型与状态：pending、ready、failed。",
    "logged_model_help.run": "某个运行保存的模型。",
    "logged_model_help.tags": "标签；名称含其他字符时加引号。",
};

export default texts;
