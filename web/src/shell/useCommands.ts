/* What the palette offers: pages, actions, and the newest objects of the project. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Boxes, ChartSpline, Code, Database, FlaskRound, FolderOpen, Keyboard, Languages, LogOut, MoonStar, Play, Upload } from "lucide-react";
import { useMemo } from "react";
import { datasetsQuery } from "../api/datasets";
import { experimentsQuery } from "../api/experiments";
import { modelsQuery } from "../api/models";
import { useMay } from "../api/permissions";
import { projectsQuery } from "../api/projects";
import { runsQuery } from "../api/runs";
import { useSignOut } from "../api/session";
import { setLocale, useI18n } from "../i18n/i18n";
import { getTheme, setTheme } from "../lib/theme";
import { PAGES } from "../pages";
import type { Command } from "./Palette";

function nextTheme(): "light" | "dark" {
    const theme = getTheme();
    const dark = theme === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
    return dark ? "light" : "dark";
}

export function useCommands(project: string, onKeys: () => void): Command[] {
    const { t, locale } = useI18n();
    const navigate = useNavigate();
    const signOut = useSignOut();
    const enabled = project !== "";
    const { may } = useMay(project, "run.write");
    const projects = useQuery(projectsQuery).data?.items;
    const datasets = useInfiniteQuery({ ...datasetsQuery(project), enabled }).data;
    const models = useInfiniteQuery({ ...modelsQuery(project), enabled }).data;
    const experiments = useQuery({ ...experimentsQuery(project), enabled }).data?.items;
    const runs = useInfiniteQuery({ ...runsQuery(project, {}), enabled }).data;

    return useMemo(() => {
        const go = (to: string, params: Record<string, string> = {}, search: Record<string, string> = {}) =>
            () => void navigate({ to, params: { project, ...params }, search });
        const pages = PAGES.filter((row) => row.nav && enabled).map((row) => ({
            id: row.path, group: t("palette.pages"), label: t(row.title), detail: `g ${row.nav!.key}`, icon: row.nav!.icon, run: go(row.path),
        }));
        const projectActions = enabled ? [
            ...(may ? [{ id: "train", label: t("train.new"), icon: Play, run: go("/projects/$project/train") }] : []),
            { id: "log", label: t("log_code.open"), icon: Code, run: go("/projects/$project/experiments", {}, { code: "1" }) },
            ...(may ? [{ id: "dataset", label: t("datasets.new"), icon: Upload, run: go("/projects/$project/datasets", {}, { new: "1" }) }] : []),
        ] : [];
        const actions = [
            ...projectActions,
            { id: "theme", label: t("palette.theme"), icon: MoonStar, run: () => setTheme(nextTheme()) },
            { id: "language", label: t("palette.language"), icon: Languages, run: () => void setLocale(locale === "en" ? "zh-CN" : "en") },
            { id: "keys", label: t("keys.title"), icon: Keyboard, run: onKeys },
            { id: "out", label: t("session.sign_out"), icon: LogOut, run: () => signOut.mutate(undefined, { onSettled: go("/sign-in") }) },
        ].map((action) => ({ ...action, group: t("palette.actions") }));
        const objects = [
            ...(datasets?.pages[0]?.items ?? []).map((item) => ({
                id: item.id, group: t("nav.datasets"), label: item.name, icon: Database, run: go("/projects/$project/datasets/$dataset", { dataset: item.id }),
            })),
            ...(models?.pages[0]?.items ?? []).map((item) => ({
                id: item.id, group: t("nav.models"), label: item.name, icon: Boxes, run: go("/projects/$project/models/$model", { model: item.id }),
            })),
            ...(experiments ?? []).map((item) => ({
                id: item.id, group: t("nav.experiments"), label: item.name, detail: item.folder, icon: FlaskRound, run: go("/projects/$project/runs", {}, { experiment: item.id }),
            })),
            ...(runs?.pages[0]?.items ?? []).map((item) => ({
                id: item.id, group: t("nav.runs"), label: item.name, detail: item.experiment_name, icon: ChartSpline, run: go("/projects/$project/runs/$run", { run: item.id }),
            })),
            ...(projects ?? []).map((item) => ({
                id: item.id, group: t("shell.projects"), label: item.name, icon: FolderOpen, run: go("/projects/$project", { project: item.slug }),
            })),
        ];
        return [...pages, ...actions, ...objects];
    }, [t, locale, navigate, signOut, onKeys, project, enabled, may, projects, datasets, models, experiments, runs]);
}
