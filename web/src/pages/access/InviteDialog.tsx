/* Invites an address and shows the link this one time: whoever sends it on chooses how. */
import { useState, type FormEvent } from "react";
import { useInvite } from "../../api/members";
import type { Session } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input, Select } from "../../components/Field";
import { SecretDialog } from "../../components/SecretDialog";
import { useI18n } from "../../i18n/i18n";
import { grantable, type Role } from "../../lib/grantable";

const DAYS = [1, 3, 7, 30];
const HOURS_A_DAY = 24;

export function InviteDialog({ session, onClose }: { session: Session; onClose: () => void }) {
    const { t, tn } = useI18n();
    const invite = useInvite();
    const [email, setEmail] = useState("");
    const [role, setRole] = useState<Role>("editor");
    const [days, setDays] = useState(3);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        invite.mutate({ email, role, expires_in_hours: days * HOURS_A_DAY });
    };
    if (invite.data) {
        return <SecretDialog title={t("invitation.created", { email: invite.data.email })} body={t("invitation.created.body")} label={t("field.link")} text={invite.data.link} onClose={onClose} />;
    }
    return (
        <Dialog open onClose={onClose} title={t("invitation.new")} description={t("invitation.new.body")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("session.email")} type="email" required maxLength={254} value={email} onChange={(event) => setEmail(event.target.value)} />
                <Select label={t("settings.role")} hint={t(`role.${role}.hint`)} value={role} onChange={(event) => setRole(event.target.value as Role)}>
                    {grantable(session.role).map((choice) => (
                        <option key={choice} value={choice}>
                            {t(`role.${choice}`)}
                        </option>
                    ))}
                </Select>
                <Select label={t("token.expires")} value={days} onChange={(event) => setDays(Number(event.target.value))}>
                    {DAYS.map((count) => (
                        <option key={count} value={count}>
                            {tn("token.days", count)}
                        </option>
                    ))}
                </Select>
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={invite.isPending}>
                        {t("invitation.action")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
