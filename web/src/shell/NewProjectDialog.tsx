/* Makes a project; the address follows the name until it is edited. */
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useCreateProject } from "../api/projects";
import { Button } from "../components/Button";
import { Dialog, DialogFooter } from "../components/Dialog";
import { Input } from "../components/Field";
import { useI18n } from "../i18n/i18n";
import { slugOf } from "../lib/slug";

export function NewProjectDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const create = useCreateProject();
    const [name, setName] = useState("");
    const [slug, setSlug] = useState<string | null>(null);
    const address = slug ?? slugOf(name);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        create.mutate(
            { name, slug: address },
            {
                onSuccess: (project) => {
                    onClose();
                    void navigate({ to: "/projects/$project", params: { project: project.slug }, search: {} });
                },
            },
        );
    };
    return (
        <Dialog open={open} onClose={onClose} title={t("project.new")}>
            <form onSubmit={submit} className="stack">
                <Input label={t("field.name")} required maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />
                <Input label={t("project.slug")} hint={t("project.slug.hint")} required value={address} onChange={(e) => setSlug(e.target.value)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={create.isPending}>
                        {t("action.create")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
