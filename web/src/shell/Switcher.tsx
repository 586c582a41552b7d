/* The team and the project one works in, and a way to make a new project. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronsUpDown, Plus } from "lucide-react";
import { useState } from "react";
import { projectsQuery } from "../api/projects";
import { sessionQuery, useSwitchTeam } from "../api/session";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLine } from "../components/Menu";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { NewProjectDialog } from "./NewProjectDialog";
import css from "./Shell.module.css";

export function Switcher({ project }: { project: string }) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const [creating, setCreating] = useState(false);
    const { data: session } = useQuery(sessionQuery);
    const { data: projects } = useQuery(projectsQuery);
    const switchTeam = useSwitchTeam();
    const current = projects?.items.find((item) => item.slug === project);
    const go = (slug: string) => void navigate({ to: "/projects/$project", params: { project: slug }, search: {} });
    const mayCreate = session?.role === "owner" || session?.role === "admin";
    const trigger = (
        <button type="button" className={css.switcher} aria-label={t("shell.switch")}>
            <img src="/icon.svg" alt="" />
            <span className={cx("grow", css.hideNarrow)}>
                <span className={cx(css.project, "truncate")}>{current?.name ?? t("app.name")}</span>
                <span className={cx(css.team, "truncate")}>{session?.team.name}</span>
            </span>
            <ChevronsUpDown size={14} aria-hidden className={css.hideNarrow} />
        </button>
    );
    return (
        <>
            <Menu trigger={trigger}>
                <MenuLabel>{t("shell.projects")}</MenuLabel>
                {projects?.items.map((item) => (
                    <MenuChoice key={item.id} checked={item.slug === project} onSelect={() => go(item.slug)}>
                        {item.name}
                    </MenuChoice>
                ))}
                {mayCreate && (
                    <MenuItem icon={Plus} onSelect={() => setCreating(true)}>
                        {t("project.new")}
                    </MenuItem>
                )}
                {session && session.teams.length > 1 && (
                    <>
                        <MenuLine />
                        <MenuLabel>{t("shell.teams")}</MenuLabel>
                        {session.teams.map((team) => (
                            <MenuChoice
                                key={team.id}
                                checked={team.id === session.team.id}
                                onSelect={() =>
                                    switchTeam.mutate(team.id, { onSuccess: () => void navigate({ to: "/", search: {} }) })
                                }
                            >
                                {team.name}
                            </MenuChoice>
                        ))}
                    </>
                )}
            </Menu>
            <NewProjectDialog open={creating} onClose={() => setCreating(false)} />
        </>
    );
}
