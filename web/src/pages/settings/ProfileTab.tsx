/* Name, language and theme. */
import { useQuery } from "@tanstack/react-query";
import { useState, useSyncExternalStore, type FormEvent } from "react";
import { sessionQuery, useUpdateProfile } from "../../api/session";
import type { Session } from "../../api/types";
import { Button } from "../../components/Button";
import { Input, Select } from "../../components/Field";
import { Answer } from "../../components/Status";
import { Card, Facts } from "../../components/Surface";
import { toast } from "../../components/Toaster";
import { LOCALES, setLocale, useI18n, type Locale } from "../../i18n/i18n";
import { getTheme, setTheme, subscribeTheme, type Theme } from "../../lib/theme";
import css from "./Settings.module.css";

const THEMES: Theme[] = ["system", "light", "dark"];

export function ProfileTab() {
    const query = useQuery(sessionQuery);
    return <Answer query={query}>{(session) => <Profile session={session} />}</Answer>;
}

function Profile({ session }: { session: Session }) {
    const { t, label, locale } = useI18n();
    const theme = useSyncExternalStore(subscribeTheme, getTheme);
    const [name, setName] = useState(session.user.name);
    const update = useUpdateProfile();
    const submit = (event: FormEvent) => {
        event.preventDefault();
        update.mutate({ name, locale }, { onSuccess: () => toast(t("settings.saved")) });
    };
    return (
        <div className="stack">
            <Card>
                <Facts
                    items={[
                        [t("session.email"), session.user.email],
                        [t("settings.team"), session.team.name],
                        [t("settings.role"), label("role", session.role)],
                    ]}
                />
            </Card>
            <Card title={t("settings.profile")}>
                <form className={`stack ${css.narrow}`} onSubmit={submit}>
                    <Input label={t("field.name")} required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
                    <Select label={t("shell.language")} value={locale} onChange={(event) => void setLocale(event.target.value as Locale)}>
                        {LOCALES.map((choice) => (
                            <option key={choice.id} value={choice.id}>
                                {choice.name}
                            </option>
                        ))}
                    </Select>
                    <Select label={t("shell.theme")} value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
                        {THEMES.map((choice) => (
                            <option key={choice} value={choice}>
                                {t(`theme.${choice}`)}
                            </option>
                        ))}
                    </Select>
                    <div className="row">
                        <Button type="submit" variant="primary" busy={update.isPending}>
                            {t("action.save")}
                        </Button>
                    </div>
                </form>
            </Card>
        </div>
    );
}
