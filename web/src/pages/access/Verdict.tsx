/* What came of verifying the audit log. */
import { ShieldAlert, ShieldCheck } from "lucide-react";
import type { AuditVerification } from "../../api/types";
import { useI18n } from "../../i18n/i18n";
import { cx } from "../../lib/cx";
import css from "./Access.module.css";

export function Verdict({ verification }: { verification: AuditVerification }) {
    const { t, count } = useI18n();
    const { ok, events, first_bad_seq, message } = verification;
    const Icon = ok ? ShieldCheck : ShieldAlert;
    return (
        <p className={cx(css.verdict, ok ? css.good : css.broken)} role="status">
            <Icon size={16} aria-hidden />
            <span>{ok ? t("audit.intact", { n: count(events) }) : t("audit.broken", { seq: first_bad_seq ?? 0, message })}</span>
        </p>
    );
}
