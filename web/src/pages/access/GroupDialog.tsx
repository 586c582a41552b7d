/* Who is in a group; administrators put people in and take them out. */
import { useQuery } from "@tanstack/react-query";
import { groupMembersQuery, useJoinGroup, useLeaveGroup } from "../../api/groups";
import { membersQuery } from "../../api/members";
import type { Group } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { BareSelect } from "../../components/Field";
import { Answer } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import css from "./Access.module.css";

export function GroupDialog({ group, administers, onClose }: { group: Group; administers: boolean; onClose: () => void }) {
    const { t } = useI18n();
    const query = useQuery(groupMembersQuery(group.id));
    const { data: members } = useQuery(membersQuery);
    const join = useJoinGroup(group.id);
    const leave = useLeaveGroup(group.id);
    const inside = new Set(query.data?.items.map((member) => member.id));
    const outside = members?.items.filter((member) => !inside.has(member.user_id)) ?? [];
    return (
        <Dialog open onClose={onClose} title={group.name} description={group.description}>
            <div className="stack">
                {administers && (
                    <BareSelect label={t("group.add")} value="" disabled={outside.length === 0} onChange={(event) => join.mutate(event.target.value)}>
                        <option value="">{t("group.add")}</option>
                        {outside.map((member) => (
                            <option key={member.user_id} value={member.user_id}>
                                {member.name}
                            </option>
                        ))}
                    </BareSelect>
                )}
                <Answer query={query} lines={3}>
                    {(page) =>
                        page.items.length === 0 ? (
                            <p className="muted">{t("group.nobody")}</p>
                        ) : (
                            <ul className={css.people}>
                                {page.items.map((member) => (
                                    <li key={member.id} className="row">
                                        <span className="grow truncate">
                                            <strong>{member.name}</strong> <span className="muted">{member.email}</span>
                                        </span>
                                        {administers && (
                                            <Button small variant="ghost" aria-label={t("group.take_out", { name: member.name })} onClick={() => leave.mutate(member.id)}>
                                                {t("action.remove")}
                                            </Button>
                                        )}
                                    </li>
                                ))}
                            </ul>
                        )
                    }
                </Answer>
            </div>
        </Dialog>
    );
}
