/* How to log from one's own code. */
export default {
    "log_code.open": "Log from code",
    "log_code.title": "Log from your code",
    "log_code.lead": "Existing MLflow code needs two environment variables, nothing else.",
    "log_code.mlflow": "mlflow",
    "log_code.curl": "curl",
    "log_code.python": "Python without mlflow",
    "log_code.environment": "Environment",
    "log_code.mlflow.body": "Set this in the shell, then run the script. Autologging works as well.",
    "log_code.certificate": "The certificate is this installation's own",
    "log_code.certificate.body": "The openssl line fetches it once; compare its fingerprint with the operator's before you trust it.",
    "log_code.token": "Make a token",
    "log_code.token.body": "It may log to this project and read it, nothing else, and appears in the programs below.",
    "log_code.token.made": "The token is in the programs below and is not shown again. It expires:",
    "log_code.token.viewer": "Your role may not log. Ask for an editor's role, or for a token.",
    "log_code.token.name": "logging to {project}",
} as const;
