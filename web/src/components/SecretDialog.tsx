/* Something that is shown this one time: a link, a token, codes. */
import { useI18n } from "../i18n/i18n";
import { Button } from "./Button";
import { CodeBlock } from "./CodeBlock";
import { Dialog, DialogFooter } from "./Dialog";

interface SecretProps {
    title: string;
    body: string;
    label: string;
    text: string;
    onClose: () => void;
}

export function SecretDialog({ title, body, label, text, onClose }: SecretProps) {
    const { t } = useI18n();
    return (
        <Dialog open onClose={onClose} title={title} description={body}>
            <CodeBlock wrap label={label} text={text} />
            <DialogFooter>
                <Button variant="primary" onClick={onClose}>
                    {t("token.done")}
                </Button>
            </DialogFooter>
        </Dialog>
    );
}
