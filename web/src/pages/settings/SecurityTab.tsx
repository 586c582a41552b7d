/* What keeps one's account one's own: the password, the second factor, the browsers signed in. */
import { PasswordCard } from "./PasswordCard";
import { SecondFactorCard } from "./SecondFactorCard";
import { SessionsCard } from "./SessionsCard";

export function SecurityTab() {
    return (
        <div className="stack">
            <div className="grid-2">
                <PasswordCard />
                <SecondFactorCard />
            </div>
            <SessionsCard />
        </div>
    );
}
