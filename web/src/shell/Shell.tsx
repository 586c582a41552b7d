/* What surrounds every page: the switcher, the navigation, the palette, the key map, and the page itself. */
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useMatches } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useState } from "react";
import { projectQuery } from "../api/projects";
import { useLive } from "../api/events";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { useParam } from "../lib/urlState";
import { PAGES } from "../pages";
import { KeyMap } from "./KeyMap";
import { Palette } from "./Palette";
import css from "./Shell.module.css";
import { Switcher } from "./Switcher";
import { useShortcuts } from "./useShortcuts";
import { UserMenu } from "./UserMenu";

function Navigation({ project }: { project: string }) {
    const { t } = useI18n();
    const path = useMatches().at(-1)?.fullPath ?? "";
    const here = PAGES.find((row) => row.path === path);
    const { data } = useQuery({ ...projectQuery(project), enabled: project !== "" });
    useLive(data ? [`project:${data.id}`] : [], data !== undefined);
    if (project === "") return null;
    return (
        <nav className={css.nav} aria-label={t("shell.navigation")}>
            {PAGES.filter((row) => row.nav).map((row) => {
                const Icon = row.nav!.icon;
                const lit = here === row || here?.under === row.path;
                return (
                    <Link
                        key={row.path}
                        to={row.path}
                        params={{ project }}
                        search={{}}
                        className={cx(css.link, lit && css.here)}
                        aria-current={lit ? "page" : undefined}
                        title={t(row.title)}
                    >
                        <Icon size={16} aria-hidden />
                        <span className={css.hideNarrow}>{t(row.title)}</span>
                        {row.path.endsWith("/jobs") && data !== undefined && data.active_jobs > 0 && (
                            <span className={cx(css.count, css.hideNarrow)} title={t("shell.active_jobs")}>
                                {data.active_jobs}
                            </span>
                        )}
                    </Link>
                );
            })}
        </nav>
    );
}

export function Shell() {
    const { t } = useI18n();
    const project = useParam("project");
    const [open, setOpen] = useState<"palette" | "keys" | null>(null);
    useShortcuts(project, setOpen);
    return (
        <div className={css.shell}>
            <a className={css.skip} href="#main">
                {t("shell.skip")}
            </a>
            <aside className={css.side}>
                <Switcher project={project} />
                <button type="button" className={css.search} onClick={() => setOpen("palette")} aria-label={t("palette.open")}>
                    <Search size={14} aria-hidden />
                    <span className={css.hideNarrow}>{t("palette.open")}</span>
                    <kbd className={css.hideNarrow}>{t("palette.shortcut")}</kbd>
                </button>
                <Navigation project={project} />
                <div className={css.bottom}>
                    <UserMenu project={project} onKeys={() => setOpen("keys")} />
                </div>
            </aside>
            <main id="main" className={css.main} tabIndex={-1}>
                <Outlet />
            </main>
            <Palette open={open === "palette"} onClose={() => setOpen(null)} project={project} onKeys={() => setOpen("keys")} />
            <KeyMap open={open === "keys"} onClose={() => setOpen(null)} />
        </div>
    );
}
