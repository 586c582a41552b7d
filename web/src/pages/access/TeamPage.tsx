/* The team: who belongs to it, who is invited, what was done. Administrators change it, everyone may look. */
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "../../api/session";
import type { Session } from "../../api/types";
import { Answer } from "../../components/Status";
import { Page } from "../../components/Surface";
import { Tabs, type Tab } from "../../components/Tabs";
import { useI18n, type I18n } from "../../i18n/i18n";
import { useSearchState } from "../../lib/urlState";
import { AuditTab } from "./AuditTab";
import { InvitationsTab } from "./InvitationsTab";
import { MembersTab } from "./MembersTab";

function tabsFor(session: Session, { t }: I18n): Tab[] {
    const forAll: Tab[] = [{ id: "members", label: t("team.members"), content: () => <MembersTab session={session} /> }];
    if (session.role !== "owner" && session.role !== "admin") return forAll;
    return [
        ...forAll,
        { id: "invitations", label: t("team.invitations"), content: () => <InvitationsTab session={session} /> },
        { id: "audit", label: t("team.audit"), content: () => <AuditTab /> },
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
