/*
 * Routes made from the page table. The shell wraps every page but the doors and asks for the session first;
 * without one the visitor signs in and comes back to where they were. An installation that has no owner yet
 * shows its set-up page instead.
 */
import type { QueryClient } from "@tanstack/react-query";
import {
    createRootRoute,
    createRoute,
    createRouter,
    Outlet,
    redirect,
    type AnyRoute,
} from "@tanstack/react-router";
import { Suspense, type ComponentType } from "react";
import { ApiError } from "./lib/apiError";
import { setupQuery } from "./api/entry";
import { projectsQuery } from "./api/projects";
import { sessionQuery } from "./api/session";
import { ErrorState, Skeleton } from "./components/Status";
import { PageFrame } from "./components/Surface";
import { useI18n } from "./i18n/i18n";
import { parseSearch, stringifySearch } from "./lib/urlState";
import { NoProjectPage } from "./pages/home/NoProjectPage";
import { Door } from "./pages/session/Door";
import { SignInPage } from "./pages/session/SignInPage";
import { NotFound } from "./shell/NotFound";
import { Shell } from "./shell/Shell";
import { open, PAGES, type PageRow } from "./pages";

const LAST_PROJECT = "slipway.project";

/* Pages that need no session, besides sign-in. */
const DOORS: Record<string, ComponentType> = {
    "/setup": open(() => import("./pages/session/SetupPage"), "doors"),
    "/invite/$token": open(() => import("./pages/session/InvitePage"), "doors"),
    "/reset/$token": open(() => import("./pages/session/ResetPage"), "doors"),
};

/* Asking the router again would bring the same broken promise: the browser loads everything anew. */
function BrokenPage({ error }: { error: unknown }) {
    return (
        <PageFrame>
            <ErrorState error={error} onRetry={() => location.reload()} />
        </PageFrame>
    );
}

/* Before anybody is known to be signed in there is no shell to stand in. */
function BrokenDoor({ error }: { error: unknown }) {
    const { t } = useI18n();
    return (
        <Door title={t("error.title")} heading={t("error.door")}>
            <ErrorState error={error} onRetry={() => location.reload()} />
        </Door>
    );
}

export function makeRouter(cache: QueryClient) {
    const root = createRootRoute({
        component: Outlet,
        validateSearch: (search) => search as Record<string, string>,
        notFoundComponent: NotFound,
    });

    const redirectToSetup = async () => {
        const setup = await cache.ensureQueryData(setupQuery).catch(() => null);
        if (setup?.needed) throw redirect({ to: "/setup", search: {} });
    };

    const signIn = createRoute({
        getParentRoute: () => root,
        path: "/sign-in",
        component: SignInPage,
        beforeLoad: redirectToSetup,
    });

    const doors = Object.entries(DOORS).map(([path, Door]) =>
        createRoute({
            getParentRoute: () => root,
            path,
            component: () => (
                <Suspense fallback={<Skeleton lines={10} />}>
                    <Door />
                </Suspense>
            ),
        }),
    );

    const shell = createRoute({
        getParentRoute: () => root,
        id: "shell",
        component: Shell,
        errorComponent: BrokenDoor,
        beforeLoad: async ({ location }) => {
            try {
                await cache.ensureQueryData(sessionQuery);
            } catch (error) {
                if (error instanceof ApiError && error.status === 503) await redirectToSetup();
                if (!(error instanceof ApiError) || error.status !== 401) throw error;
                throw redirect({ to: "/sign-in", search: { return: location.href } });
            }
        },
    });

    const start = createRoute({
        getParentRoute: () => shell,
        path: "/",
        component: NoProjectPage,
        beforeLoad: async () => {
            const { items } = await cache.ensureQueryData(projectsQuery);
            const last = localStorage.getItem(LAST_PROJECT);
            const project = items.find((item) => item.slug === last) ?? items[0];
            if (project) throw redirect({ to: "/projects/$project", params: { project: project.slug } });
        },
    });

    const page = ({ path, page: Page }: PageRow): AnyRoute =>
        createRoute({
            getParentRoute: () => shell,
            path,
            beforeLoad: ({ params }) => localStorage.setItem(LAST_PROJECT, (params as { project: string }).project),
            component: () => (
                <Suspense fallback={<PageFrame><Skeleton lines={10} /></PageFrame>}>
                    <Page />
                </Suspense>
            ),
            errorComponent: BrokenPage,
        });

    return createRouter({
        routeTree: root.addChildren([signIn, ...doors, shell.addChildren([start, ...PAGES.map(page)])]),
        parseSearch,
        stringifySearch,
        scrollRestoration: true,
        defaultNotFoundComponent: NotFound,
    });
}
