/* Notes, tags, and what is archived, wherever they are changed. */
import type { Texts } from "../i18n";

const texts: Texts<"editing"> = {
    "notes.edit": "编辑",
    "notes.none": "尚无内容。",
    "notes.hint": "Markdown：**粗体**、列表、表格、链接、代码。",
    "notes.preview": "预览",
    "notes.write": "继续编辑",
    "tags.none": "无标签。",
    "tags.add": "添加标签",
    "tags.key": "键",
    "tags.value": "值",
    "tags.remove": "移除标签 {key}",
    "confirm.type": "输入“{name}”以确认",
    "lifecycle.show": "范围",
    "lifecycle.active": "活动",
    "lifecycle.archived": "已归档",
    "lifecycle.archive": "归档",
    "lifecycle.restore": "恢复",
    "lifecycle.delete": "永久删除",
    "run.tags": "标签",
};

export default texts;
