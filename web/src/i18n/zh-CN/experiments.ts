/* Experiments and their folders. */
import type { Texts } from "../i18n";

const texts: Texts<"experiments"> = {
    "experiments.lead": "运行按实验分组，文件夹让众多实验井然有序。",
    "experiments.search": "搜索实验",
    "experiments.empty.title": "尚无实验",
    "experiments.empty.body": "在此新建，或从代码记录：按名称自动创建。",
    "experiments.none_archived.title": "没有已归档的实验",
    "experiments.none_archived.body": "已归档的实验保留于此，可恢复或永久删除。",
    "experiment.new": "新建实验",
    "experiment.edit": "编辑",
    "experiment.more": "{name} 的操作",
    "experiment.folder": "文件夹",
    "experiment.folder.hint": "留空表示无；用斜杠表示子文件夹：vision/small。",
    "experiment.archive.title": "归档“{name}”？",
    "experiment.archive.body.one": "其中 {n} 个运行将一并归档，均可恢复。",
    "experiment.archive.body.other": "其中 {n} 个运行将一并归档，均可恢复。",
    "experiment.restore.title": "恢复“{name}”？",
    "experiment.restore.body": "随之归档的运行也会恢复。",
    "experiment.delete.title": "永久删除“{name}”？",
    "experiment.delete.body": "其运行、指标与产物都会被删除，且无法找回。",
    "folder.move": "重命名或移动 {folder}",
    "folder.move.title": "重命名或移动文件夹 {folder}",
    "folder.move.hint": "其中内容一并移动；留空则移至顶层。",
};

export default texts;
