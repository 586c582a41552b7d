/* The person signed in: language, theme, keys, sign out. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Keyboard, LogOut, UserRound } from "lucide-react";
import { useSyncExternalStore } from "react";
import { sessionQuery, useSignOut } from "../api/session";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLine } from "../components/Menu";
import { LOCALES, setLocale, useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { getTheme, setTheme, subscribeTheme, type Theme } from "../lib/theme";
import css from "./Shell.module.css";

const THEMES: Theme[] = ["system", "light", "dark"];

export function UserMenu({ project, onKeys }: { project: string; onKeys: () => void }) {
    const { t, locale } = useI18n();
    const navigate = useNavigate();
    const { data: session } = useQuery(sessionQuery);
    const signOut = useSignOut();
    const theme = useSyncExternalStore(subscribeTheme, getTheme);
    const name = session?.user.name ?? "";
    const trigger = (
        <button type="button" className={css.me} aria-label={t("shell.me")}>
            <span className={css.avatar} aria-hidden>
                {name.slice(0, 1).toUpperCase()}
            </span>
            <span className={cx("grow", css.hideNarrow)}>
                <span className={cx(css.project, "truncate")}>{name}</span>
                <span className={cx(css.team, "truncate")}>{session?.user.email}</span>
            </span>
        </button>
    );
    return (
        <Menu trigger={trigger}>
            {project !== "" && (
                <MenuItem icon={UserRound} onSelect={() => void navigate({ to: "/projects/$project/settings", params: { project }, search: {} })}>
                    {t("nav.settings")}
                </MenuItem>
            )}
            <MenuItem icon={Keyboard} onSelect={onKeys}>
                {t("keys.title")}
            </MenuItem>
            <MenuLine />
            <MenuLabel>{t("shell.theme")}</MenuLabel>
            {THEMES.map((choice) => (
                <MenuChoice key={choice} checked={choice === theme} onSelect={() => setTheme(choice)}>
                    {t(`theme.${choice}`)}
                </MenuChoice>
            ))}
            <MenuLine />
            <MenuLabel>{t("shell.language")}</MenuLabel>
            {LOCALES.map((choice) => (
                <MenuChoice key={choice.id} checked={choice.id === locale} onSelect={() => void setLocale(choice.id)}>
                    {choice.name}
                </MenuChoice>
            ))}
            <MenuLine />
            <MenuItem
                icon={LogOut}
                onSelect={() => signOut.mutate(undefined, { onSettled: () => void navigate({ to: "/sign-in", search: {} }) })}
            >
                {t("session.sign_out")}
            </MenuItem>
        </Menu>
    );
}
