/* Asks before what cannot be undone: the name has to be typed. */
import { useState, type FormEvent } from "react";
import { useI18n } from "../i18n/i18n";
import { Button } from "./Button";
import { Dialog, DialogFooter, type ConfirmProps } from "./Dialog";
import { Input } from "./Field";

export function TypedConfirmDialog({ name, ...props }: ConfirmProps & { name: string }) {
    const { t } = useI18n();
    const [typed, setTyped] = useState("");
    const close = () => {
        setTyped("");
        props.onClose();
    };
    const submit = (event: FormEvent) => {
        event.preventDefault();
        props.onConfirm();
    };
    return (
        <Dialog open={props.open} onClose={close} title={props.title} description={props.body}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("confirm.type", { name })} value={typed} autoFocus autoComplete="off" onChange={(event) => setTyped(event.target.value)} />
                <DialogFooter>
                    <Button onClick={close}>{t("action.back")}</Button>
                    <Button type="submit" variant="danger" disabled={typed !== name} busy={props.busy ?? false}>
                        {props.action}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
