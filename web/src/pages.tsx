/*
 * The page table: path, title, icon, what the navigation and the palette show, the shortcut behind `g`,
 * and the page itself, loaded when it is first opened, with the areas of the catalogue it speaks. Adding a
 * page is adding a row.
 */
import { Boxes, ChartSpline, Database, FlaskRound, Home, ListChecks, ListTree, Settings, Users, Waypoints, type LucideIcon } from "lucide-react";
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import { loadTexts, type Area, type Key } from "./i18n/i18n";

export interface PageRow {
    path: string;
    title: Key;
    page: LazyExoticComponent<ComponentType>;
    /** In the navigation: an icon, and the letter that follows `g`. */
    nav?: { icon: LucideIcon; key: string };
    /** The row of the navigation that is lit while this page is open. */
    under?: string;
}

export function open(page: () => Promise<{ default: ComponentType }>, ...areas: Area[]): LazyExoticComponent<ComponentType> {
    return lazy(async () => (await Promise.all([page(), loadTexts(areas)]))[0]);
}

const project = (rest: string) => `/projects/$project${rest}`;

export const PAGES: PageRow[] = [
    { path: project(""), title: "nav.home", nav: { icon: Home, key: "h" }, page: open(() => import("./pages/home/HomePage"), "charts") },
    { path: project("/datasets"), title: "nav.datasets", nav: { icon: Database, key: "d" }, page: open(() => import("./pages/datasets/DatasetListPage"), "datasets") },
    { path: project("/datasets/$dataset"), title: "nav.datasets", under: project("/datasets"), page: open(() => import("./pages/datasets/DatasetPage"), "datasets") },
    { path: project("/experiments"), title: "nav.experiments", nav: { icon: FlaskRound, key: "e" }, page: open(() => import("./pages/runs/ExperimentListPage"), "experiments", "editing", "logging", "tokens") },
    { path: project("/runs"), title: "nav.runs", nav: { icon: ChartSpline, key: "r" }, page: open(() => import("./pages/runs/RunListPage"), "runs", "editing", "logging", "tokens") },
    { path: project("/runs/$run"), title: "nav.runs", under: project("/runs"), page: open(() => import("./pages/runs/RunPage"), "runs", "charts", "logs", "editing", "traces") },
    { path: project("/logged-models"), title: "nav.logged_models", under: project("/runs"), page: open(() => import("./pages/runs/loggedModels/LoggedModelListPage"), "loggedModels", "runs", "editing") },
    { path: project("/logged-models/$model"), title: "nav.logged_models", under: project("/runs"), page: open(() => import("./pages/runs/loggedModels/LoggedModelPage"), "loggedModels", "runs", "editing", "logs") },
    { path: project("/traces"), title: "nav.traces", nav: { icon: ListTree, key: "c" }, page: open(() => import("./pages/runs/traces/TraceListPage"), "traces", "runs", "editing", "logging", "tokens") },
    { path: project("/traces/$trace"), title: "nav.traces", under: project("/traces"), page: open(() => import("./pages/runs/traces/TracePage"), "traces", "editing") },
    { path: project("/train"), title: "nav.train", under: project("/runs"), page: open(() => import("./pages/training/TrainPage"), "train") },
    { path: project("/jobs"), title: "nav.jobs", nav: { icon: ListChecks, key: "j" }, page: open(() => import("./pages/jobs/JobListPage"), "jobs") },
    { path: project("/jobs/$job"), title: "nav.jobs", under: project("/jobs"), page: open(() => import("./pages/jobs/JobPage"), "jobs", "logs") },
    { path: project("/models"), title: "nav.models", nav: { icon: Boxes, key: "m" }, page: open(() => import("./pages/models/ModelListPage"), "models", "editing") },
    { path: project("/models/$model"), title: "nav.models", under: project("/models"), page: open(() => import("./pages/models/ModelPage"), "models", "editing") },
    { path: project("/models/$model/versions/$version"), title: "nav.models", under: project("/models"), page: open(() => import("./pages/models/ModelVersionPage"), "models", "charts", "editing") },
    { path: project("/lineage"), title: "nav.lineage", nav: { icon: Waypoints, key: "l" }, page: open(() => import("./pages/lineage/LineagePage"), "lineage") },
    { path: project("/team"), title: "nav.team", nav: { icon: Users, key: "t" }, page: open(() => import("./pages/access/TeamPage"), "team", "tokens") },
    { path: project("/settings"), title: "nav.settings", nav: { icon: Settings, key: "s" }, page: open(() => import("./pages/settings/SettingsPage"), "settings", "tokens", "webhooks") },
];
