"""Definitions inside templates of other tools: SAM, CloudFormation, CDK, the Serverless Framework, Terraform."""
