/* What the runs of an experiment, or of the project, stand beside: the models they logged, and traces. */
import { Link } from "@tanstack/react-router";
import css from "../../components/Tabs.module.css";
import { useI18n, type Key } from "../../i18n/i18n";
import { cx } from "../../lib/cx";

const SIBLINGS = { runs: "nav.runs", "logged-models": "nav.logged_models", traces: "nav.traces" } satisfies Record<string, Key>;
type Sibling = keyof typeof SIBLINGS;

export function SiblingTabs({ project, experiment, here }: { project: string; experiment: string | undefined; here: Sibling }) {
    const { t } = useI18n();
    return (
        <nav className={css.tabs} aria-label={t("runs.siblings")}>
            {(Object.keys(SIBLINGS) as Sibling[]).map((name) => (
                <Link key={name} to={`/projects/$project/${name}`} params={{ project }} search={experiment ? { experiment } : {}} className={cx(css.tab, name === here && css.on)} aria-current={name === here ? "page" : undefined}>
                    {t(SIBLINGS[name])}
                </Link>
            ))}
        </nav>
    );
}
