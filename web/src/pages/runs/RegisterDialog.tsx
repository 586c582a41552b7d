/* Registers a finished run's model as the next version of a model, new or existing. */
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

const NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._\\-]{0,127}";

export function RegisterDialog({ run, project, open, onClose }: { run: Run; project: string; open: boolean; onClose: () => void }) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const listId = useId();
    const register = useRegisterModel(project);
    const models = useInfiniteQuery({ ...modelsQuery(project), enabled: open });
    const [model, setModel] = useState((run.dataset_name ?? "").replace(/[^A-Za-z0-9._-]+/g, "-"));
    const [description, setDescription] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        register.mutate(
            { model, run_id: run.id, description },
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
    const error = register.error instanceof ApiError ? register.error.message : null;
    return (
        <Dialog open={open} onClose={onClose} title={t("run.register")} description={t("run.register.body")}>
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
