/* How to log from one's own code. */
import type { Texts } from "../i18n";

const texts: Texts<"logging"> = {
    "log_code.title": "从你的代码记录",
    "log_code.lead": "现有的 MLflow 代码只需两个环境变量。",
    "log_code.mlflow": "mlflow",
    "log_code.curl": "curl",
    "log_code.python": "不用 mlflow 的 Python",
    "log_code.environment": "环境变量",
    "log_code.mlflow.body": "先在终端设置，再运行脚本；autolog 同样可用。",
    "log_code.certificate": "证书由此安装自行签发",
    "log_code.certificate.body": "openssl 一行用于获取证书；信任之前请与运维人员核对指纹。",
    "log_code.token": "生成令牌",
    "log_code.token.body": "仅对此项目有效，会填入下方程序。",
    "log_code.token.registers": "同时允许注册模型",
    "log_code.token.made": "令牌已填入下方程序，之后不再显示。到期：",
    "log_code.token.viewer": "你的角色无权记录。请申请编辑者角色或令牌。",
    "log_code.token.name": "记录到 {project}",
    "log_code.fact.calls": "实验、运行、参数、指标、产物、图像、表格、模型、注册表、autolog 与 traces 均可直接使用，代码无需改动。",
    "log_code.fact.project": "地址中包含项目：/p/{project}。省略时记录到团队的 default 项目。",
    "log_code.fact.basic": "若工具要求用户名和密码：用户名任意，密码填令牌。",
    "log_code.fact.archive": "MLflow 所称的删除在此即归档：可恢复，也可永久删除。",
};

export default texts;
