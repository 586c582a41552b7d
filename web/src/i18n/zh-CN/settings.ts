/* One's own settings: profile, tokens, security; the workers. */
import type { Texts } from "../i18n";

const texts: Texts<"settings"> = {
    // Settings
    "settings.profile": "个人资料",
    "settings.password": "密码",
    "settings.tokens": "API 令牌",
    "settings.security": "安全",
    "settings.workers": "工作节点",
    "settings.team": "团队",
    "settings.saved": "已保存。",
    "settings.password.current": "当前密码",
    "settings.password.change": "更改密码",
    "settings.password.changed": "密码已更改。",
    "settings.password.end_others": "结束我的其他会话",
    "worker.busy": "占用",
    "worker.slots": "{busy} / {slots}",
    "worker.sandbox": "运行器隔离",
    "worker.empty.title": "没有工作节点",
    "worker.empty.body": "任务会等待工作节点上线。",

    // Security
    "security.factor.lead": "手机上的身份验证器应用会显示每次登录时所需的验证码。",
    "security.factor.on": "每次登录都需要验证码。",
    "security.begin": "设置第二因素",
    "security.scan": "用身份验证器应用扫描二维码，然后输入应用显示的验证码。",
    "security.qr": "第二因素的二维码",
    "security.secret": "或在应用中输入",
    "security.confirm": "启用",
    "security.codes": "恢复码",
    "security.codes.body": "手机丢失时，每个恢复码可登录一次。之后不再显示。",
    "security.renew": "新的恢复码",
    "security.renew.body": "旧的恢复码将失效。",
    "security.remove": "移除第二因素",
    "security.remove.body": "之后仅凭密码即可登录。",
    "security.removed": "第二因素已移除。",
    "security.sessions": "已登录的设备",
    "security.device": "浏览器",
    "security.this_browser": "当前",
    "security.since": "登录时间",
    "security.end": "结束",
    "security.end_others": "结束其他全部",
    "security.others_ended": "其他会话已结束。",
};

export default texts;
