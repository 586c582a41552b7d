/*
 * Registers a run's model as the next version of a model, new or existing: of a run of ours its best weights, of a
 * client's run the directory of its files where it saved one.
 */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState, type FormEvent } from "react";
import { modelsQuery, useRegisterModel } from "../../api/models";
import type { Run } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input, Textarea } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import { ApiError } from "../../lib/apiError";
import { fieldError } from "../../lib/fieldError";

const NAME_PATTERN = "[^\\/:]{1,256}";
const USUAL_PATH = "model";

export function RegisterDialog({ run, project, open, onClose }: { run: Run; project: string; open: boolean; onClose: () => void }) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const listId = useId();
    const register = useRegisterModel(project);
    const models = useInfiniteQuery({ ...modelsQuery(project), enabled: open });
    const [model, setModel] = useState((run.dataset_name ?? "").replace(/[^A-Za-z0-9._-]+/g, "-"));
    const [description, setDescription] = useState("");
    const [path, setPath] = useState(USUAL_PATH);
    const source = run.job_id === null ? { source: `runs:/${run.id.replaceAll("-", "")}/${path}` } : {};
    const submit = (event: FormEvent) => {
        event.preventDefault();
        register.mutate(
            { model, run_id: run.id, description, ...source },
            {
                onSuccess: (version) =>
                    void navigate({
                        to: "/projects/$project/models/$model/versions/$version",
                        params: { project, model: version.model_id, version: version.id },
                        search: {},
                    }),
            },
        );
    };
    const error = register.error instanceof ApiError && register.error.field !== "source" ? register.error.message : null;
    return (
        <Dialog open={open} onClose={onClose} title={t("run.register")} description={t(run.job_id === null ? "run.register.client" : "run.register.body")}>
            <form onSubmit={submit} className="stack">
                <Input
                    label={t("field.model")}
                    hint={t("run.register.hint")}
                    list={listId}
                    required
                    pattern={NAME_PATTERN}
                    value={model}
                    error={error}
                    onChange={(event) => setModel(event.target.value)}
                />
                <datalist id={listId}>
                    {models.data?.pages.flatMap((page) => page.items).map((item) => <option key={item.id} value={item.name} />)}
                </datalist>
                {run.job_id === null && <Input label={t("run.register.path")} hint={t("run.register.path.hint")} required value={path} error={fieldError(register.error, "source")} onChange={(event) => setPath(event.target.value)} />}
                <Textarea label={t("field.description")} value={description} onChange={(event) => setDescription(event.target.value)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={register.isPending}>
                        {t("run.register.action")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
