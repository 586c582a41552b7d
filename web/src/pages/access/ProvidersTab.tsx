/* Single sign-on: the identity providers people may sign in with, and a test that says what fails. */
import { useQuery } from "@tanstack/react-query";
import { LogIn, Plus } from "lucide-react";
import { useState } from "react";
import { providersQuery } from "../../api/sso";
import type { Provider } from "../../api/types";
import { Button } from "../../components/Button";
import { Toolbar } from "../../components/DataTable";
import { Answer, EmptyState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { ProviderCard } from "./ProviderCard";
import { ProviderDialog } from "./ProviderDialog";

export function ProvidersTab() {
    const { t } = useI18n();
    const query = useQuery(providersQuery);
    const [edited, setEdited] = useState<Provider | "new" | null>(null);
    const create = (
        <Button variant="primary" icon={Plus} onClick={() => setEdited("new")}>
            {t("provider.new")}
        </Button>
    );
    return (
        <>
            <Answer query={query}>
                {(page) =>
                    page.items.length === 0 ? (
                        <EmptyState icon={LogIn} title={t("provider.empty.title")} body={t("provider.empty.body")}>
                            {create}
                        </EmptyState>
                    ) : (
                        <>
                            <Toolbar>
                                <span className="muted small grow">{t("provider.lead")}</span>
                                {create}
                            </Toolbar>
                            <div className="stack">
                                {page.items.map((provider) => (
                                    <ProviderCard key={provider.id} provider={provider} onEdit={() => setEdited(provider)} />
                                ))}
                            </div>
                        </>
                    )
                }
            </Answer>
            {edited && <ProviderDialog provider={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
        </>
    );
}
