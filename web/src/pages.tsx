/*
 * The page table: path, title, icon, what the navigation and the palette show, the shortcut behind `g`,
 * and the page itself, loaded when it is first opened. Adding a page is adding a row.
 */
import { Boxes, Database, FlaskConical, Home, ListChecks, Settings, Users, Waypoints, type LucideIcon } from "lucide-react";
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { Key } from "./i18n/i18n";

export interface PageRow {
    path: string;
    title: Key;
    page: LazyExoticComponent<ComponentType>;
    /** In the navigation: an icon, and the letter that follows `g`. */
    nav?: { icon: LucideIcon; key: string };
    /** The row of the navigation that is lit while this page is open. */
    under?: string;
}

const project = (rest: string) => `/projects/$project${rest}`;

export const PAGES: PageRow[] = [
    { path: project(""), title: "nav.home", nav: { icon: Home, key: "h" }, page: lazy(() => import("./pages/home/HomePage")) },
    { path: project("/datasets"), title: "nav.datasets", nav: { icon: Database, key: "d" }, page: lazy(() => import("./pages/datasets/DatasetListPage")) },
    { path: project("/datasets/$dataset"), title: "nav.datasets", under: project("/datasets"), page: lazy(() => import("./pages/datasets/DatasetPage")) },
    { path: project("/runs"), title: "nav.runs", nav: { icon: FlaskConical, key: "r" }, page: lazy(() => import("./pages/runs/RunListPage")) },
    { path: project("/runs/$run"), title: "nav.runs", under: project("/runs"), page: lazy(() => import("./pages/runs/RunPage")) },
    { path: project("/train"), title: "nav.train", under: project("/runs"), page: lazy(() => import("./pages/training/TrainPage")) },
    { path: project("/jobs"), title: "nav.jobs", nav: { icon: ListChecks, key: "j" }, page: lazy(() => import("./pages/jobs/JobListPage")) },
    { path: project("/jobs/$job"), title: "nav.jobs", under: project("/jobs"), page: lazy(() => import("./pages/jobs/JobPage")) },
    { path: project("/models"), title: "nav.models", nav: { icon: Boxes, key: "m" }, page: lazy(() => import("./pages/models/ModelListPage")) },
    { path: project("/models/$model"), title: "nav.models", under: project("/models"), page: lazy(() => import("./pages/models/ModelPage")) },
    { path: project("/models/$model/versions/$version"), title: "nav.models", under: project("/models"), page: lazy(() => import("./pages/models/ModelVersionPage")) },
    { path: project("/lineage"), title: "nav.lineage", nav: { icon: Waypoints, key: "l" }, page: lazy(() => import("./pages/lineage/LineagePage")) },
    { path: project("/team"), title: "nav.team", nav: { icon: Users, key: "t" }, page: lazy(() => import("./pages/access/TeamPage")) },
    { path: project("/settings"), title: "nav.settings", nav: { icon: Settings, key: "s" }, page: lazy(() => import("./pages/settings/SettingsPage")) },
];
