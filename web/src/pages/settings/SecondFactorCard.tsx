/* The second factor: scanned, confirmed by a code, then ten recovery codes; renewed or removed by a code. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { membersQuery } from "../../api/members";
import { useBeginTotp } from "../../api/security";
import { sessionQuery } from "../../api/session";
import { Button } from "../../components/Button";
import { SecretDialog } from "../../components/SecretDialog";
import { Answer, Badge } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { CodeDialog } from "./CodeDialog";
import { TotpDialog } from "./TotpDialog";

export function SecondFactorCard() {
    const { t } = useI18n();
    const { data: session } = useQuery(sessionQuery);
    const query = useQuery(membersQuery);
    const begin = useBeginTotp();
    const [asking, setAsking] = useState<"renew" | "remove" | null>(null);
    const [codes, setCodes] = useState<string[] | null>(null);
    const done = (next: string[] | null) => {
        begin.reset();
        setAsking(null);
        setCodes(next);
    };
    return (
        <Card title={t("security.factor")}>
            <Answer query={query} lines={3}>
                {(members) => {
                    const on = members.items.find((member) => member.user_id === session?.user.id)?.totp ?? false;
                    return (
                        <div className="stack">
                            <div className="row">
                                <Badge>{t(on ? "security.on" : "security.off")}</Badge>
                            </div>
                            <p className="muted small">{t(on ? "security.factor.on" : "security.factor.lead")}</p>
                            <div className="row wrap">
                                {on ? (
                                    <>
                                        <Button onClick={() => setAsking("renew")}>{t("security.renew")}</Button>
                                        <Button onClick={() => setAsking("remove")}>{t("security.remove")}</Button>
                                    </>
                                ) : (
                                    <Button variant="primary" busy={begin.isPending} onClick={() => begin.mutate()}>
                                        {t("security.begin")}
                                    </Button>
                                )}
                            </div>
                        </div>
                    );
                }}
            </Answer>
            {begin.data && <TotpDialog setup={begin.data} onClose={() => done(null)} onDone={done} />}
            {asking && <CodeDialog use={asking} onClose={() => setAsking(null)} onDone={done} />}
            {codes && <SecretDialog title={t("security.codes")} body={t("security.codes.body")} label={t("security.codes")} text={codes.join("\n")} onClose={() => setCodes(null)} />}
        </Card>
    );
}
