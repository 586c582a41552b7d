/*
 * Registers what a run or a logged model holds as the next version of a model, new or existing: of a run of ours its
 * best weights, of a client's run the directory of its files where it saved one, of a logged model all its files.
 */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState, type FormEvent } from "react";
import { modelsQuery, useRegisterModel } from "../../api/models";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input, Textarea } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import { ApiError } from "../../lib/apiError";
import { fieldError } from "../../lib/fieldError";

const NAME_PATTERN = "[^\\/:]{1,256}";
const USUAL_PATH = "model";

/** What is registered; `name` is what its model is called unless somebody says otherwise. */
export interface Registered {
    kind: "run" | "client-run" | "logged-model";
    id: string;
    name: string;
}

const BODY = { run: "run.register.body", "client-run": "run.register.client", "logged-model": "run.register.logged" } as const;

function sourceOf({ kind, id }: Registered, path: string): { run_id?: string; source?: string } {
    const hex = id.replaceAll("-", "");
    if (kind === "logged-model") return { source: `models:/m-${hex}` };
    return { run_id: id, ...(kind === "client-run" ? { source: `runs:/${hex}/${path}` } : {}) };
}

export function RegisterDialog({ of, project, open, onClose }: { of: Registered; project: string; open: boolean; onClose: () => void }) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const listId = useId();
    const register = useRegisterModel(project);
    const models = useInfiniteQuery({ ...modelsQuery(project), enabled: open });
    const [model, setModel] = useState(of.name.replace(/[^A-Za-z0-9._-]+/g, "-"));
    const [description, setDescription] = useState("");
    const [path, setPath] = useState(USUAL_PATH);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        register.mutate(
            { model, description, ...sourceOf(of, path) },
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
        <Dialog open={open} onClose={onClose} title={t("run.register")} description={t(BODY[of.kind])}>
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
                {of.kind === "client-run" && <Input label={t("run.register.path")} hint={t("run.register.path.hint")} required value={path} error={fieldError(register.error, "source")} onChange={(event) => setPath(event.target.value)} />}
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
