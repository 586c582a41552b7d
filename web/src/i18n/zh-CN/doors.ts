/* The ways in without a session: first start, invitations, resets. */
import type { Texts } from "../i18n";

const texts: Texts<"doors"> = {
    "setup.title": "设置 Slipway",
    "setup.lead": "你将成为第一位所有者。密钥证明此服务器属于你。",
    "setup.secret": "设置密钥",
    "setup.secret.hint": "位于服务器日志，以及密钥目录中的 setup.secret。",
    "setup.name": "你的姓名",
    "setup.team": "团队",
    "setup.team.hint": "一起工作的人。之后可以邀请他们。",
    "setup.action": "完成设置",
    "setup.done": "已完成设置",
    "setup.done.body": "此安装已有所有者。请登录，或请求邀请。",
    "invite.title": "邀请",
    "invite.heading": "加入 {team}",
    "invite.lead": "发给 {email}。你的角色将是：{role}。",
    "invite.account.hint": "你在此处已有账户的密码。",
    "invite.action": "加入",
    "reset.title": "新密码",
    "reset.lead": "这会让你在所有地方退出登录。",
    "reset.action": "设置密码",
    "reset.done": "密码已设置",
    "reset.done.body": "现在用它登录。",
};

export default texts;
