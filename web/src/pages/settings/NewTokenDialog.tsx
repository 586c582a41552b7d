/* Makes a token and shows it this one time. */
import { useQuery } from "@tanstack/react-query";
import { projectsQuery } from "../../api/projects";
import { useCreateToken } from "../../api/session";
import { Dialog } from "../../components/Dialog";
import { SecretDialog } from "../../components/SecretDialog";
import { TokenForm } from "../../components/TokenForm";
import { useI18n } from "../../i18n/i18n";

export function NewTokenDialog({ onClose }: { onClose: () => void }) {
    const { t } = useI18n();
    const { data: projects } = useQuery(projectsQuery);
    const create = useCreateToken();
    if (create.data) {
        return <SecretDialog title={t("token.created")} body={t("token.created.body")} label={t("token.value")} text={create.data.token} onClose={onClose} />;
    }
    return (
        <Dialog open onClose={onClose} title={t("token.new")}>
            <TokenForm projects={projects?.items ?? []} busy={create.isPending} onSubmit={(token) => create.mutate(token)} onCancel={onClose} />
        </Dialog>
    );
}
