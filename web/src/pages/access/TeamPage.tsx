/* The team: who belongs to it, what they may do and did. Administrators change it, everyone may look. */
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "../../api/session";
import type { Session } from "../../api/types";
import { Answer } from "../../components/Status";
import { Page } from "../../components/Surface";
import { Tabs, type Tab } from "../../components/Tabs";
import { useI18n, type I18n } from "../../i18n/i18n";
import { useSearchState } from "../../lib/urlState";
import { AuditTab } from "./AuditTab";
import { GroupsTab } from "./GroupsTab";
import { InvitationsTab } from "./InvitationsTab";
import { MembersTab } from "./MembersTab";
import { PermissionsTab } from "./PermissionsTab";
import { ProvidersTab } from "./ProvidersTab";
import { QuotasTab } from "./QuotasTab";
import { ServiceAccountsTab } from "./ServiceAccountsTab";

function tabsFor(session: Session, { t }: I18n): Tab[] {
    const administers = session.role === "owner" || session.role === "admin";
    const forAll: Tab[] = [
        { id: "members", label: t("team.members"), content: () => <MembersTab session={session} /> },
        { id: "groups", label: t("team.groups"), content: () => <GroupsTab administers={administers} /> },
        { id: "permissions", label: t("team.permissions"), content: () => <PermissionsTab administers={administers} /> },
        { id: "quotas", label: t("team.quotas"), content: () => <QuotasTab owns={session.role === "owner"} /> },
    ];
    if (!administers) return forAll;
    const forOwners: Tab[] = session.role === "owner" ? [{ id: "providers", label: t("team.providers"), content: () => <ProvidersTab /> }] : [];
    return [
        ...forAll,
        { id: "service", label: t("team.service"), content: () => <ServiceAccountsTab session={session} /> },
        { id: "invitations", label: t("team.invitations"), content: () => <InvitationsTab session={session} /> },
        { id: "audit", label: t("team.audit"), content: () => <AuditTab /> },
        ...forOwners,
    ];
}

export default function TeamPage() {
    const i18n = useI18n();
    const { t } = i18n;
    const [search, setSearch] = useSearchState();
    const query = useQuery(sessionQuery);
    return (
        <Page title={t("nav.team")} lead={t("team.lead")}>
            <Answer query={query}>
                {(session) => <Tabs label={t("nav.team")} value={search.tab ?? "members"} onChange={(tab) => setSearch({ tab })} tabs={tabsFor(session, i18n)} />}
            </Answer>
        </Page>
    );
}
