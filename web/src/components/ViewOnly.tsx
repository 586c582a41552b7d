/* Says beside a page's title that one may look but not change, why, and who could give more. */
import { Eye } from "lucide-react";
import type { PermissionAnswer } from "../api/types";
import { useI18n } from "../i18n/i18n";
import css from "./Status.module.css";

/** Nothing for those who may. */
export function ViewOnly({ refusal }: { refusal: PermissionAnswer | null }) {
    const { t, label } = useI18n();
    if (!refusal) return null;
    const why = t("may.why", { role: label("role", refusal.role), needs: label("role", refusal.needs) });
    const names = refusal.who_can_grant.map((person) => person.name).join(", ");
    const text = names === "" ? why : `${why} ${t("may.who", { names })}`;
    return (
        <span className={css.badge} title={text} role="note" aria-label={`${t("may.view_only")}. ${text}`}>
            <Eye size={13} aria-hidden /> {t("may.view_only")}
        </span>
    );
}
