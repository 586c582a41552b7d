/* A page that does not exist. */
import { Compass } from "lucide-react";
import { ButtonLink } from "../components/Button";
import { EmptyState } from "../components/Status";
import { useI18n } from "../i18n/i18n";
import css from "./Shell.module.css";

export function NotFound() {
    const { t } = useI18n();
    return (
        <div className={css.center}>
            <EmptyState icon={Compass} title={t("not_found.title")} body={t("not_found.body")}>
                <ButtonLink variant="primary" to="/" search={{}}>
                    {t("not_found.home")}
                </ButtonLink>
            </EmptyState>
        </div>
    );
}
