/* The start for a team that has no project yet. */
import { FolderPlus } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/Status";
import { Page } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { NewProjectDialog } from "../../shell/NewProjectDialog";

export function NoProjectPage() {
    const { t } = useI18n();
    const [open, setOpen] = useState(false);
    return (
        <Page title={t("app.name")}>
            <EmptyState icon={FolderPlus} title={t("project.none.title")} body={t("project.none.body")}>
                <Button variant="primary" onClick={() => setOpen(true)}>
                    {t("project.new")}
                </Button>
            </EmptyState>
            <NewProjectDialog open={open} onClose={() => setOpen(false)} />
        </Page>
    );
}
