"""Translates template.yaml into CloudFormation as SAM's own service does, and fails where that would.

`sam validate --lint` accepts events that the translator then refuses. Without --lint it wants an account.
"""

import os
import sys

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class ManagedPolicies:
    """Named in the template: none. SAM adds those that let a function write its log and its traces, and CodeDeploy move traffic."""

    def load(self):
        names = {
            "AWSLambdaBasicExecutionRole": "service-role/",
            "AWSXrayWriteOnlyAccess": "",
            "AWSXRayDaemonWriteAccess": "",
            "AWSCodeDeployRoleForLambda": "service-role/",
            "AWSCodeDeployRoleForLambdaLimited": "service-role/",
        }
        return {name: f"arn:aws:iam::aws:policy/{path}{name}" for name, path in names.items()}


def main():
    # The translator wants one, and any will do.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with open(sys.argv[1], encoding="utf-8") as file:
        template = yaml_parse(file)
    for resource in template["Resources"].values():
        # `sam package` puts what is on this disk there.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/function.zip"
        if resource["Type"] == "AWS::CloudFormation::Stack":
            resource["Properties"]["TemplateURL"] = "https://bucket.s3.amazonaws.com/stack.yaml"
    try:
        translated = transform(template, {}, ManagedPolicies())
    except InvalidDocumentException as error:
        sys.exit("\n".join(cause.message for cause in error.causes))
    print(f"{sys.argv[1]} translates into {len(translated['Resources'])} resources")


main()
