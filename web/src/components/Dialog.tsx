/*
 * A modal dialog. The veil is our own element, not Radix's overlay: that one writes a <style> into the
 * page to lock scrolling, which the Content-Security-Policy refuses. Closed, it gives the focus back to
 * whatever had it, or to the page when that is gone: Radix does so only for dialogs with a trigger of its own.
 */
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { Button } from "./Button";
import css from "./Dialog.module.css";

interface DialogProps {
    open: boolean;
    onClose: () => void;
    title: string;
    description?: ReactNode;
    wide?: boolean;
    children: ReactNode;
}

/* What opens a dialog: the focused element; of an item in a menu, which closes, the button of that menu. */
function opener(): HTMLElement | null {
    const focused = document.activeElement as HTMLElement | null;
    const menu = focused?.closest("[role=menu]");
    return menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : focused;
}

export function Dialog({ open, onClose, title, description, wide, children }: DialogProps) {
    const { t } = useI18n();
    const before = useRef<HTMLElement | null>(null);
    const wasOpen = useRef(false);
    /* While rendering, because a field of the dialog may take the focus as soon as it is there. */
    if (open && !wasOpen.current) before.current = opener();
    wasOpen.current = open;
    return (
        <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
            <Radix.Portal>
                <div className={css.veil} />
                <Radix.Content
                    className={cx(css.box, wide && css.wide)}
                    onCloseAutoFocus={(event) => {
                        event.preventDefault();
                        (before.current?.isConnected ? before.current : document.getElementById("main"))?.focus();
                    }}
                    {...(description ? {} : { "aria-describedby": undefined })}
                >
                    <div className={css.head}>
                        <div>
                            <Radix.Title className={css.title}>{title}</Radix.Title>
                            {description && (
                                <Radix.Description className={css.description}>{description}</Radix.Description>
                            )}
                        </div>
                        <Radix.Close asChild>
                            <Button variant="ghost" small icon={X} aria-label={t("action.close")} />
                        </Radix.Close>
                    </div>
                    <div className={css.body}>{children}</div>
                </Radix.Content>
            </Radix.Portal>
        </Radix.Root>
    );
}

export function DialogFooter({ children }: { children: ReactNode }) {
    return <div className={css.footer}>{children}</div>;
}

export interface ConfirmProps {
    open: boolean;
    onClose: () => void;
    onConfirm: () => void;
    title: string;
    body: string;
    action: string;
    busy?: boolean;
}

export function ConfirmDialog({ open, onClose, onConfirm, title, body, action, busy }: ConfirmProps) {
    const { t } = useI18n();
    return (
        <Dialog open={open} onClose={onClose} title={title}>
            <p className="muted">{body}</p>
            <DialogFooter>
                <Button onClick={onClose}>{t("action.back")}</Button>
                <Button variant="danger" busy={busy ?? false} onClick={onConfirm}>
                    {action}
                </Button>
            </DialogFooter>
        </Dialog>
    );
}
