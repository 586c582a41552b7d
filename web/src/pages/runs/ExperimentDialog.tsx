/* An experiment's name, description and folder: of a new one, or of one that is there. */
import { useId, useState, type FormEvent } from "react";
import { useCreateExperiment, useUpdateExperiment } from "../../api/experiments";
import type { Experiment } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input, Textarea } from "../../components/Field";
import { Tags } from "../../components/Tags";
import { useI18n } from "../../i18n/i18n";
import { fieldError } from "../../lib/fieldError";
import { ApiError } from "../../lib/apiError";

const MOST_NAME = 500;
const MOST_TEXT = 10_000;

interface ExperimentDialogProps {
    project: string;
    /** null: a new one. */
    experiment: Experiment | null;
    folders: string[];
    onClose: () => void;
}

export function ExperimentDialog({ project, experiment, folders, onClose }: ExperimentDialogProps) {
    const { t } = useI18n();
    const create = useCreateExperiment(project);
    const update = useUpdateExperiment(project);
    const foldersId = useId();
    const [name, setName] = useState(experiment?.name ?? "");
    const [description, setDescription] = useState(experiment?.description ?? "");
    const [folder, setFolder] = useState(experiment?.folder ?? "");
    const [tags, setTags] = useState(experiment?.tags ?? {});
    const { error, isPending } = experiment ? update : create;
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (!experiment) return create.mutate({ name, description, folder, tags }, { onSuccess: onClose });
        const gone = Object.keys(experiment.tags).filter((key) => !(key in tags));
        const change = { ...Object.fromEntries(gone.map((key) => [key, null])), ...tags };
        return update.mutate({ id: experiment.id, name, description, folder, tags: change }, { onSuccess: onClose });
    };
    const taken = error instanceof ApiError && error.field === null ? error.message : null;
    return (
        <Dialog open onClose={onClose} title={t(experiment ? "experiment.edit" : "experiment.new")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("field.name")} required autoFocus maxLength={MOST_NAME} value={name} error={fieldError(error, "name") ?? taken} onChange={(event) => setName(event.target.value)} />
                <Input label={t("experiment.folder")} hint={t("experiment.folder.hint")} list={foldersId} value={folder} error={fieldError(error, "folder")} onChange={(event) => setFolder(event.target.value)} />
                <datalist id={foldersId}>
                    {folders.map((item) => (
                        <option key={item} value={item} />
                    ))}
                </datalist>
                <Textarea label={t("field.description")} hint={t("notes.hint")} maxLength={MOST_TEXT} value={description} onChange={(event) => setDescription(event.target.value)} />
                <Tags
                    tags={tags}
                    busy={false}
                    onSet={(key, value) => setTags({ ...tags, [key]: value })}
                    onRemove={(key) => setTags(Object.fromEntries(Object.entries(tags).filter(([other]) => other !== key)))}
                />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={isPending}>
                        {t(experiment ? "action.save" : "action.create")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
