/* Mounts the application: theme and language first, then the query cache and the router. */
import { MutationCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { onSessionEnded } from "./api/client";
import { Toaster, toastError } from "./components/Toaster";
import { preferredLocale, setLocale } from "./i18n/i18n";
import { ApiError } from "./lib/apiError";
import { pathOfMlflowLink } from "./lib/mlflowLink";
import { applyTheme } from "./lib/theme";
import { makeRouter } from "./router";
import "./styles/tokens.css";
import "./styles/base.css";

const RETRIES = 2;
const RETRY_MS = 400;

const cache = new QueryClient({
    defaultOptions: {
        queries: {
            staleTime: 2000,
            retryDelay: (attempt) => RETRY_MS * 2 ** attempt,
            retry: (failures, error) =>
                failures < RETRIES && error instanceof ApiError && (error.status === 0 || error.status >= 500),
        },
    },
    mutationCache: new MutationCache({
        onError: (error, _variables, _context, mutation) => {
            if (mutation.meta?.quiet !== true) toastError(error);
        },
    }),
});

const linked = pathOfMlflowLink(location.pathname, location.hash);
if (linked !== null) history.replaceState(null, "", linked);

const router = makeRouter(cache);

onSessionEnded(() => {
    const { pathname, href } = router.state.location;
    if (pathname === "/sign-in") return;
    cache.clear();
    router.history.push(`/sign-in?return=${encodeURIComponent(href)}`);
});

applyTheme();
void setLocale(preferredLocale()).then(() => {
    createRoot(document.getElementById("root")!).render(
        <StrictMode>
            <QueryClientProvider client={cache}>
                <RouterProvider router={router} />
                <Toaster />
            </QueryClientProvider>
        </StrictMode>,
    );
});
