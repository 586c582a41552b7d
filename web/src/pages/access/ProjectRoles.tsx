/* The roles in one project that differ from those in the team: given to a person, a group or a service account. */
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { groupsQuery } from "../../api/groups";
import { membersQuery } from "../../api/members";
import { projectRolesQuery, useDropProjectRole, useSetProjectRole } from "../../api/permissions";
import { serviceAccountsQuery } from "../../api/serviceAccounts";
import type { ProjectRoleSet } from "../../api/types";
import { Button } from "../../components/Button";
import { Toolbar } from "../../components/DataTable";
import { BareSelect } from "../../components/Field";
import { Answer, Badge } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { ROLES } from "../../lib/grantable";
import css from "./Access.module.css";

type Kind = ProjectRoleSet["subject_kind"];
type ProjectRoleName = ProjectRoleSet["role"];

export function ProjectRoles({ project }: { project: string }) {
    const { t, label } = useI18n();
    const query = useQuery(projectRolesQuery(project));
    const drop = useDropProjectRole(project);
    return (
        <Card title={t("grant.title")}>
            <GiveRole project={project} />
            <Answer query={query} lines={3}>
                {(page) =>
                    page.items.length === 0 ? (
                        <p className="muted small">{t("grant.none")}</p>
                    ) : (
                        <ul className={css.people}>
                            {page.items.map((grant) => (
                                <li key={`${grant.subject_kind}:${grant.subject_id}`} className="row">
                                    <span className="grow truncate">
                                        <strong>{grant.subject_name}</strong> <span className="muted">{t(`subject.${grant.subject_kind}`)}</span>
                                    </span>
                                    <Badge>{label("role", grant.role)}</Badge>
                                    <Button small variant="ghost" aria-label={t("grant.drop", { name: grant.subject_name })} onClick={() => drop.mutate(grant)}>
                                        {t("action.remove")}
                                    </Button>
                                </li>
                            ))}
                        </ul>
                    )
                }
            </Answer>
        </Card>
    );
}

function GiveRole({ project }: { project: string }) {
    const { t } = useI18n();
    const members = useQuery(membersQuery).data?.items ?? [];
    const groups = useQuery(groupsQuery).data?.items ?? [];
    const services = useQuery(serviceAccountsQuery).data?.items ?? [];
    const give = useSetProjectRole(project);
    const [subject, setSubject] = useState("");
    const [role, setRole] = useState<ProjectRoleName>("editor");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        const [kind, id = ""] = subject.split(":");
        give.mutate({ subject_kind: kind as Kind, subject_id: id, role }, { onSuccess: () => setSubject("") });
    };
    const choices: [Kind, { id: string; name: string }[]][] = [
        ["user", members.map(({ user_id, name }) => ({ id: user_id, name }))],
        ["group", groups],
        ["service", services],
    ];
    return (
        <form onSubmit={submit}>
            <Toolbar>
                <BareSelect label={t("audit.actor")} required value={subject} onChange={(event) => setSubject(event.target.value)}>
                    <option value="">{t("grant.who")}</option>
                    {choices
                        .filter(([, items]) => items.length > 0)
                        .map(([kind, items]) => (
                            <optgroup key={kind} label={t(`subject.${kind}`)}>
                                {items.map(({ id, name }) => (
                                    <option key={id} value={`${kind}:${id}`}>
                                        {name}
                                    </option>
                                ))}
                            </optgroup>
                        ))}
                </BareSelect>
                <BareSelect label={t("settings.role")} value={role} onChange={(event) => setRole(event.target.value as ProjectRoleName)}>
                    {["none" as const, ...ROLES].map((choice) => (
                        <option key={choice} value={choice}>
                            {t(`role.${choice}`)}
                        </option>
                    ))}
                </BareSelect>
                <Button type="submit" busy={give.isPending}>
                    {t("grant.give")}
                </Button>
            </Toolbar>
        </form>
    );
}
