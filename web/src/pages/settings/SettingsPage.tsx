/* The caller's own settings, the project's webhooks, and the workers that do the team's work. */
import { Page } from "../../components/Surface";
import { Tabs } from "../../components/Tabs";
import { useI18n } from "../../i18n/i18n";
import { useSearchState } from "../../lib/urlState";
import { ProfileTab } from "./ProfileTab";
import { SecurityTab } from "./SecurityTab";
import { TokensTab } from "./TokensTab";
import { WebhooksTab } from "./WebhooksTab";
import { WorkersTab } from "./WorkersTab";

export default function SettingsPage() {
    const { t } = useI18n();
    const [search, setSearch] = useSearchState();
    return (
        <Page title={t("nav.settings")}>
            <Tabs
                label={t("nav.settings")}
                value={search.tab ?? "profile"}
                onChange={(tab) => setSearch({ tab })}
                tabs={[
                    { id: "profile", label: t("settings.profile"), content: () => <ProfileTab /> },
                    { id: "security", label: t("settings.security"), content: () => <SecurityTab /> },
                    { id: "tokens", label: t("settings.tokens"), content: () => <TokensTab /> },
                    { id: "webhooks", label: t("settings.webhooks"), content: () => <WebhooksTab /> },
                    { id: "workers", label: t("settings.workers"), content: () => <WorkersTab /> },
                ]}
            />
        </Page>
    );
}
